#include "dkim/sealed_key.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/mail/base64.h"
#include "tests/dkim/keys.h"

namespace penguin::dkim {
namespace {

namespace fs = std::filesystem;

MasterKey master(char octet) { return MasterKey::parse(std::string(32, octet)).value(); }
SecretOwner owner() { return {tests::tenant(1), "dkim", "example.com/s1", 3}; }

TEST(SealedKey, OpensForItsOwner)
{
    for (const std::string& secret : {std::string{}, std::string{"s"}, std::string(kSecretMax, '\xFF')}) {
        const std::string sealed = seal(master('a'), secret, owner()).value();
        EXPECT_FALSE(secret.size() > 8 && sealed.contains(secret));
        EXPECT_EQ(open_sealed(master('a'), sealed, owner())->bytes(), secret);
    }
    EXPECT_NE(seal(master('a'), "s", owner()).value(),
              seal(master('a'), "s", owner()).value()); // a new data key each time
    EXPECT_EQ(seal(master('a'), std::string(kSecretMax + 1, 'x'), owner()).error().code, Errc::too_long);
}

TEST(SealedKey, OpensForNobodyElse)
{
    const std::string sealed = seal(master('a'), "secret", owner()).value();
    SecretOwner other = owner();
    other.tenant = tests::tenant(2);
    EXPECT_EQ(open_sealed(master('a'), sealed, other).error().code, Errc::denied);
    other = owner();
    other.kind = "webhook";
    EXPECT_EQ(open_sealed(master('a'), sealed, other).error().code, Errc::denied);
    other = owner();
    other.id = "example.com/s2";
    EXPECT_EQ(open_sealed(master('a'), sealed, other).error().code, Errc::denied);
    other = owner();
    other.version = 4; // a row set back to an older key
    EXPECT_EQ(open_sealed(master('a'), sealed, other).error().code, Errc::denied);
    other = owner();
    other.kind = "dki"; // parts do not run into each other
    other.id = "mexample.com/s1";
    EXPECT_EQ(open_sealed(master('a'), sealed, other).error().code, Errc::denied);
}

TEST(SealedKey, AnotherMasterKeyIsNamed)
{
    const std::string sealed = seal(master('a'), "secret", owner()).value();
    const Error error = open_sealed(master('b'), sealed, owner()).error();
    EXPECT_EQ(error.code, Errc::denied);
    EXPECT_TRUE(error.detail.contains(master('a').id())) << error.detail;
    EXPECT_TRUE(error.detail.contains(master('b').id())) << error.detail;
}

TEST(SealedKey, AnyChangedOctetIsSeen)
{
    const std::string sealed = seal(master('a'), "secret", owner()).value();
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(open_sealed(master('a'), changed, owner())) << i;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(open_sealed(master('a'), sealed.substr(0, size), owner())) << size;
    EXPECT_FALSE(open_sealed(master('a'), sealed + "x", owner()));
    EXPECT_EQ(open_sealed(master('a'), "", owner()).error().code, Errc::malformed);
    EXPECT_EQ(open_sealed(master('a'), "\x02" + sealed.substr(1), owner()).error().code, Errc::malformed);
}

TEST(MasterKey, ReadsItsThreeForms)
{
    const std::string raw = "0123456789abcdef0123456789ABCDEF";
    std::string hex;
    for (const char c : raw) {
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        hex += "0123456789ABCDEF"[c & 15];
    }
    const std::string id = MasterKey::parse(raw)->id();
    EXPECT_EQ(id.size(), 16U);
    EXPECT_EQ(MasterKey::parse(hex + "\n")->id(), id);
    EXPECT_EQ(MasterKey::parse(to_base64(raw) + "\r\n")->id(), id);
    for (const std::string& bad : {std::string{}, std::string(31, 'x'), std::string(33, 'x'), std::string(64, 'g'),
                                   raw + "\n", to_base64(raw + "x")})
        EXPECT_EQ(MasterKey::parse(bad).error().code, Errc::malformed) << bad;
}

TEST(MasterKey, DerivesAKeyForEachUse)
{
    EXPECT_EQ(master('a').derive("return-path"), master('a').derive("return-path"));
    EXPECT_NE(master('a').derive("return-path"), master('a').derive("api-key"));
    EXPECT_NE(master('a').derive("return-path"), master('b').derive("return-path"));
    // HKDF-SHA-256 (RFC 5869) of 32 octets "a", no salt, info "penguin-mta/1/return-path": from python3's hmac. It must
    // never change: return paths and API keys of an installation depend on it.
    std::string hex;
    for (const std::uint8_t octet : master('a').derive("return-path")) {
        hex += "0123456789abcdef"[octet >> 4];
        hex += "0123456789abcdef"[octet & 15];
    }
    EXPECT_EQ(hex, "881909799186704652633d49e95cca14e139cc81883c54075730da08895ca8a9");
}

class MasterKeyFile : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (fs::temp_directory_path() / "penguin-key-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    void TearDown() override { fs::remove_all(folder_); }
    fs::path folder_;
};

TEST_F(MasterKeyFile, IsMadeOnceForItsOwnerOnly)
{
    const fs::path file = folder_ / "master.key";
    EXPECT_EQ(MasterKey::load(file).error().code, Errc::not_found);
    const std::string id = MasterKey::load_or_create(file)->id();
    EXPECT_EQ(MasterKey::load_or_create(file)->id(), id);
    EXPECT_EQ(MasterKey::load(file)->id(), id);
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    EXPECT_EQ(std::distance(fs::directory_iterator{folder_}, fs::directory_iterator{}), 1); // nothing left beside it
}

TEST_F(MasterKeyFile, RefusesWhatIsNotSafeOrNoKey)
{
    const fs::path file = folder_ / "master.key";
    std::ofstream{file} << std::string(32, 'k');
    ::chmod(file.c_str(), 0640);
    EXPECT_EQ(MasterKey::load(file).error().code, Errc::denied);
    EXPECT_EQ(MasterKey::load_or_create(file).error().code, Errc::denied);
    ::chmod(file.c_str(), 0400);
    EXPECT_TRUE(MasterKey::load(file));
    fs::remove(file);
    std::ofstream{file} << std::string(5000, 'k');
    ::chmod(file.c_str(), 0600);
    EXPECT_EQ(MasterKey::load_or_create(file).error().code, Errc::malformed); // never replaced
    EXPECT_EQ(MasterKey::load(folder_).error().code, Errc::malformed);
    EXPECT_EQ(MasterKey::load_or_create(folder_ / "no" / "key").error().code, Errc::not_found);
}

} // namespace
} // namespace penguin::dkim
