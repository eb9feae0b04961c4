#include "engine/mail/return_path.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

MessageId id(std::uint32_t index) { return {BatchId{*Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")}, index}; }

ReturnPath paths(std::uint8_t first)
{
    std::array<std::uint8_t, 32> key{};
    key.fill(first);
    return ReturnPath{key};
}

TEST(ReturnPath, MakeAndParseAreInverse)
{
    const DomainName host = *DomainName::parse("bounce.example.com");
    for (const std::uint32_t index : {0U, 1U, 35U, 36U, MessageId::kIndexMax}) {
        const EmailAddress address = paths(1).make(id(index), host);
        EXPECT_LE(address.local_part().size(), 64U); // RFC 5321 4.5.3.1.1
        EXPECT_EQ(address.domain(), host);
        EXPECT_EQ(*paths(1).parse(address), id(index));
    }
    EXPECT_EQ(paths(1).make(id(36), host).local_part().substr(0, 38), "b-017f22e279b07cc398c4dc0c0c07398f-10-");
}

TEST(ReturnPath, CaseMayChangeOnTheWay)
{
    std::string local = paths(1).make(id(7), *DomainName::parse("b.example")).local_part();
    for (char& c : local) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(*paths(1).parse(*EmailAddress::parse(local + "@b.example")), id(7));
}

TEST(ReturnPath, NobodyElseCanMakeOne)
{
    const EmailAddress address = paths(1).make(id(7), *DomainName::parse("b.example"));
    EXPECT_EQ(paths(2).parse(address).error().code, Errc::denied);
    const std::string& local = address.local_part();
    for (const std::size_t at : {std::size_t{3}, std::size_t{35}, local.size() - 16, local.size() - 1}) {
        std::string other = local;
        other[at] = other[at] == '0' ? '1' : '0';
        EXPECT_EQ(paths(1).parse(*EmailAddress::parse(other + "@b.example")).error().code, Errc::denied) << other;
    }
}

TEST(ReturnPath, OtherAddressesAreMalformed)
{
    for (const char* local : {"ann", "b-", "b-017f22e279b07cc398c4dc0c0c07398f", "b-017f22e279b07cc398c4dc0c0c07398f-7",
                              "b-017f22e279b07cc398c4dc0c0c07398f-7-0123456789abcde",
                              "b-017f22e279b07cc398c4dc0c0c07398f--0123456789abcdef",
                              "b-017f22e279b07cc398c4dc0c0c07398f-07-0123456789abcdef",
                              "b-017f22e279b07cc398c4dc0c0c07398f-7ps-0123456789abcdef", // 10,000
                              "b-zzzf22e279b07cc398c4dc0c0c07398f-7-0123456789abcdef",
                              "x-017f22e279b07cc398c4dc0c0c07398f-7-0123456789abcdef"})
        EXPECT_EQ(paths(1).parse(*EmailAddress::parse(std::string{local} + "@b.example")).error().code, Errc::malformed)
            << local;
}

} // namespace
} // namespace penguin
