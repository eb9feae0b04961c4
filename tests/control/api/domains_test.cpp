// Sending domains: keys, records, verification.
#include <boost/json/array.hpp>

#include "api_fixture.h"
#include "dkim/key_pair.h"
#include "dkim/key_ring.h"

namespace penguin::control::api::test {
namespace {

class DomainsTest : public ApiTest {
protected:
    DomainsTest() { add_source(); }
    Reply mine(std::string_view method, std::string_view target, std::string_view body = "")
    {
        return call(tenant_.credential, method, target, body);
    }
    std::string status_of(const Reply& verification, std::string_view purpose)
    {
        for (const json::value& record : verification.object().at("records").as_array())
            if (record.at("purpose") == json::string_view{purpose.data(), purpose.size()})
                return std::string{record.at("status").as_string()};
        return "absent";
    }
    Tenant tenant_ = make_tenant("Acme");
};

TEST_F(DomainsTest, ANewDomainComesWithItsRecords)
{
    const Reply made = mine("POST", "/v1/domains", R"({"name": "Acme.Example", "ed25519": true})");
    ASSERT_EQ(made.status, 201U) << made.text;
    EXPECT_EQ(made.at("name"), "acme.example");
    EXPECT_EQ(made.at("verified"), "false");
    EXPECT_EQ(made.at("bounce_host"), "bounce.acme.example");
    EXPECT_EQ(made.header("Location"), "/v1/domains/acme.example");
    EXPECT_EQ(made.object().at("dkim_keys").as_array().size(), 2U);
    std::vector<std::string> purposes;
    for (const json::value& record : made.object().at("records").as_array())
        purposes.emplace_back(record.at("purpose").as_string());
    EXPECT_EQ(purposes,
              (std::vector<std::string>{"spf", "dkim", "dkim", "dmarc", "return_path_mx", "return_path_spf"}));
    EXPECT_EQ(mine("GET", "/v1/domains/ACME.example").text, made.text);
    EXPECT_EQ(mine("POST", "/v1/domains", R"({"name": "acme.example"})").status, 409U);
    EXPECT_EQ(mine("GET", "/v1/domains").object().at("data").as_array().size(), 1U);
    EXPECT_EQ(mine("DELETE", "/v1/domains/acme.example").status, 204U);
    EXPECT_EQ(mine("GET", "/v1/domains/acme.example").status, 404U);
    EXPECT_EQ(mine("DELETE", "/v1/domains/acme.example").status, 404U);
    EXPECT_EQ(sql("select count(*) from control.dkim_keys"), "0");
}

TEST_F(DomainsTest, KeysAreSealedForTheirRowAndOpenWithTheMasterKeyOnly)
{
    mine("POST", "/v1/domains", R"({"name": "acme.example", "ed25519": true})");
    EXPECT_EQ(sql("select count(*) from control.dkim_keys where sealed::text like '%30820%'"), "0")
        << "no DER in the clear";
    for (const char* algorithm : {"rsa-sha256", "ed25519-sha256"}) {
        const std::string where = " from control.dkim_keys where algorithm = '" + std::string{algorithm} + "'";
        const std::string selector = sql("select selector" + where);
        const std::string hex = sql("select encode(sealed, 'hex')" + where);
        std::string sealed;
        for (std::size_t i = 0; i < hex.size(); i += 2)
            sealed.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
        const DomainName domain = *DomainName::parse("acme.example");
        const auto owner = dkim::owner_of(tenant_.id, domain, selector, 1);
        const auto opened = dkim::open_sealed(master_, sealed, owner);
        ASSERT_TRUE(opened) << opened.error().detail;
        const auto key = dkim::open_private_key(*dkim::parse_algorithm(algorithm), opened->bytes());
        ASSERT_TRUE(key);
        EXPECT_EQ(*dkim::public_base64_of(*dkim::parse_algorithm(algorithm), key->get()),
                  sql("select public_key" + where));
        EXPECT_FALSE(dkim::open_sealed(dkim::MasterKey::random(), sealed, owner));
        const auto other = dkim::owner_of(TenantId{Uuid::v7(wall_now())}, domain, selector, 1);
        EXPECT_FALSE(dkim::open_sealed(master_, sealed, other)) << "a row moved to another tenant does not open";
    }
}

TEST_F(DomainsTest, IsVerifiedWhenTheRecordsAreThere)
{
    const Reply made = mine("POST", "/v1/domains", R"({"name": "acme.example"})");
    const Reply before = mine("POST", "/v1/domains/acme.example/verify");
    ASSERT_EQ(before.status, 200U) << before.text;
    EXPECT_EQ(before.at("verified"), "false");
    EXPECT_EQ(status_of(before, "dkim"), "missing");
    publish(made);
    const Reply after = mine("POST", "/v1/domains/acme.example/verify");
    EXPECT_EQ(after.at("verified"), "true") << after.text;
    for (const char* purpose : {"spf", "dkim", "dmarc", "return_path_mx", "return_path_spf"})
        EXPECT_EQ(status_of(after, purpose), "ok") << purpose;
    EXPECT_EQ(mine("GET", "/v1/domains/acme.example").at("verified"), "true");
    EXPECT_NE(sql("select verification::text from control.domains"), "");
}

TEST_F(DomainsTest, AnOutageOfTheDnsChangesNothingButAMissingRecordDoes)
{
    make_verified_domain(tenant_, "acme.example");
    dns_.fail("bounce.acme.example", Errc::timeout);
    const Reply silent = mine("POST", "/v1/domains/acme.example/verify");
    EXPECT_EQ(silent.status, 200U);
    EXPECT_EQ(silent.at("verified"), "true");
    EXPECT_EQ(status_of(silent, "return_path_mx"), "error");
    dns_.succeed("bounce.acme.example");
    dns_.remove("bounce.acme.example");
    const Reply gone = mine("POST", "/v1/domains/acme.example/verify");
    EXPECT_EQ(gone.at("verified"), "false");
    EXPECT_EQ(mine("GET", "/v1/domains/acme.example").at("verified_at"), "null");
}

TEST_F(DomainsTest, TwoTenantsMayClaimADomainAndOneCanHaveIt)
{
    make_verified_domain(tenant_, "acme.example");
    const Tenant other = make_tenant("Other");
    const Reply claimed = call(other.credential, "POST", "/v1/domains", R"({"name": "acme.example"})");
    EXPECT_EQ(claimed.status, 201U) << "claiming tells nothing";
    const Reply unproved = call(other.credential, "POST", "/v1/domains/acme.example/verify");
    EXPECT_EQ(unproved.at("verified"), "false") << "its DKIM record is not published";
    publish(claimed);
    dns_.remove("acme.example"); // else there are two SPF records
    dns_.remove("bounce.acme.example");
    dns_.remove("_dmarc.acme.example");
    const Reply made = mine("GET", "/v1/domains/acme.example");
    publish(made);
    const Reply proved = call(other.credential, "POST", "/v1/domains/acme.example/verify");
    EXPECT_EQ(proved.status, 409U) << proved.text;
    EXPECT_EQ(mine("GET", "/v1/domains/acme.example").at("verified"), "true");
}

TEST_F(DomainsTest, BadDomainsAreRefused)
{
    for (const char* name :
         {"", "example", "a..example", "-a.example", "a b.example", "127.0.0.1.", "user@acme.example"}) {
        const Reply refused = mine("POST", "/v1/domains", R"({"name": ")" + std::string{name} + "\"}");
        EXPECT_TRUE(refused.status == 422U || std::string_view{name} == "127.0.0.1.") << name << refused.text;
    }
    const std::string label(63, 'a');
    const std::string longest = label + "." + label + "." + label + "." + std::string(59, 'a');
    EXPECT_EQ(mine("POST", "/v1/domains", R"({"name": ")" + longest + "\"}").status, 422U)
        << "no room for the bounce host";
    EXPECT_EQ(mine("POST", "/v1/domains/nowhere.example/verify").status, 404U);
}

TEST_F(DomainsTest, NeedsAnAddressThatSpfCanName)
{
    sql("delete from control.sources");
    EXPECT_EQ(mine("POST", "/v1/domains", R"({"name": "acme.example"})").status, 409U);
    EXPECT_EQ(sql("select count(*) from control.domains"), "0");
}

} // namespace
} // namespace penguin::control::api::test
