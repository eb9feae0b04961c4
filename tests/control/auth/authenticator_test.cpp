#include "control/auth/credential_authenticator.h"

#include <unistd.h>

#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "control/auth/jwks_file.h"
#include "engine/mail/base64.h"
#include "tests/support/run.h"
#include "tokens.h"

namespace penguin::control {
namespace {

// Keys in a map; how often it was asked, and a fault to answer with.
class TableKeys final : public ApiKeys {
public:
    std::map<Uuid, StoredApiKey> stored;
    std::optional<Errc> fault;
    std::size_t asked = 0;
    awaitable<Result<StoredApiKey>> find(Uuid id) override
    {
        ++asked;
        if (fault) co_return fail(*fault, "PostgreSQL is away");
        const auto found = stored.find(id);
        if (found == stored.end()) co_return fail(Errc::not_found, "no such key");
        co_return found->second;
    }
};

class ToldEvents final : public audit::SecurityEvents {
public:
    std::vector<audit::SecurityEvent> told;
    void note(audit::SecurityEvent event) override { told.push_back(std::move(event)); }
};

const ApiKeyHashKey kHashKey{7};
const auto kFar = asio::ip::make_address("192.0.2.7");

class AuthenticatorTest : public testing::Test {
protected:
    ApiKey add_key(std::optional<WallTime> expires = {})
    {
        const ApiKey key = ApiKey::make(wall_now());
        keys_.stored[key.id] = StoredApiKey{
            .tenant = tenant_, .hash = hash_of(key, kHashKey), .scopes = {"batches:write"}, .expires = expires};
        return key;
    }
    Result<Principal> ask(const std::string& authorization, const asio::ip::address& peer = kFar)
    {
        return tests::run(io_, authenticator_->authenticate(authorization, peer));
    }
    void open(std::shared_ptr<KeySet> jwks = {})
    {
        CredentialAuthenticator::Options options{.hash_key = kHashKey,
                                                 .jwks = std::move(jwks),
                                                 .rules = {.issuer = "i", .audience = "a"},
                                                 .now = [this] { return now_; }};
        authenticator_ = std::make_unique<CredentialAuthenticator>(keys_, std::move(options), events_, metrics_);
    }

    asio::io_context io_;
    Registry metrics_;
    ToldEvents events_;
    TableKeys keys_;
    TenantId tenant_{Uuid::v7(wall_now())};
    SteadyTime now_ = std::chrono::steady_clock::now();
    std::unique_ptr<CredentialAuthenticator> authenticator_;
};

TEST_F(AuthenticatorTest, TakesAKeyAsBearerAndAsBasic)
{
    open();
    const ApiKey key = add_key();
    for (const std::string& field :
         {"Bearer " + key.text(), "bearer  " + key.text(), "Basic " + to_base64(key.id.text() + ":" + key.secret),
          "BASIC " + to_base64(key.id.text() + ":" + key.secret)}) {
        const auto principal = ask(field);
        ASSERT_TRUE(principal) << field;
        EXPECT_EQ(principal->tenant, tenant_);
        EXPECT_TRUE(principal->may("batches:write"));
        EXPECT_EQ(principal->subject, key.id.text());
    }
}

TEST_F(AuthenticatorTest, RefusesWhatIsNotProved)
{
    open();
    const ApiKey key = add_key();
    const ApiKey expired = add_key(wall_now() - std::chrono::seconds{1});
    const ApiKey unknown = ApiKey::make(wall_now());
    ApiKey wrong = key;
    wrong.secret.back() = wrong.secret.back() == 'a' ? 'b' : 'a';
    EXPECT_EQ(ask("").error().code, Errc::missing);
    for (const std::string& field :
         {std::string{"Bearer"}, std::string{"Bearer "}, std::string{"Bearer pm_live_"}, "Bearer " + wrong.text(),
          "Bearer " + unknown.text(), "Bearer " + expired.text(), "Bearer " + key.text() + " ", key.text(),
          "Basic " + key.text(), "Basic " + to_base64(key.id.text() + ":" + wrong.secret), std::string{"Basic !!!"},
          "Digest " + key.text(), std::string{"Bearer a.b.c"}}) {
        // A peer of its own each, so that none is refused for the others.
        const auto peer =
            asio::ip::make_address_v4(static_cast<std::uint32_t>(std::hash<std::string>{}(field)) | 0x0A000000U);
        EXPECT_EQ(ask(field, peer).error().code, Errc::denied) << field;
    }
}

TEST_F(AuthenticatorTest, AsksTheStoreOnceForAWhile)
{
    open();
    const ApiKey key = add_key();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(ask("Bearer " + key.text()));
    EXPECT_EQ(keys_.asked, 1U);
    ApiKey wrong = key;
    wrong.secret = "other";
    EXPECT_FALSE(ask("Bearer " + wrong.text())) << "what is kept is the hash, not a yes";
    EXPECT_EQ(keys_.asked, 1U);
}

TEST_F(AuthenticatorTest, DoesNotRememberThatAKeyWasNotThere)
{
    open();
    const ApiKey key = ApiKey::make(wall_now());
    EXPECT_FALSE(ask("Bearer " + key.text()));
    keys_.stored[key.id] = StoredApiKey{.tenant = tenant_, .hash = hash_of(key, kHashKey), .scopes = {}, .expires = {}};
    EXPECT_TRUE(ask("Bearer " + key.text()));
}

TEST_F(AuthenticatorTest, TellsAnOutageFromAWrongKey)
{
    open();
    keys_.fault = Errc::unavailable;
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(ask("Bearer " + ApiKey::make(wall_now()).text()).error().code, Errc::unavailable);
}

TEST_F(AuthenticatorTest, RefusesAPeerWithTooManyWrongCredentialsButNotLoopback)
{
    open();
    const ApiKey key = add_key();
    const auto local = asio::ip::make_address("127.0.0.1");
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i) {
        EXPECT_EQ(ask("Bearer wrong").error().code, Errc::denied);
        EXPECT_EQ(ask("Bearer wrong", local).error().code, Errc::denied);
    }
    EXPECT_EQ(ask("Bearer " + key.text()).error().code, Errc::full);
    EXPECT_TRUE(ask("Bearer " + key.text(), asio::ip::make_address("192.0.2.8")));
    EXPECT_TRUE(ask("Bearer " + key.text(), local));
    EXPECT_TRUE(ask("Bearer " + key.text(), asio::ip::address{}));
}

// A load balancer, or a NAT: one address is everybody behind it.
TEST_F(AuthenticatorTest, WhoSharesTheAddressOfAGuesserGoesOn)
{
    open();
    const ApiKey key = add_key();
    EXPECT_TRUE(ask("Bearer " + key.text()));
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i)
        EXPECT_EQ(ask("Bearer " + ApiKey::make(wall_now()).text()).error().code, Errc::denied);
    const std::size_t asked = keys_.asked;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(ask("Bearer " + ApiKey::make(wall_now()).text()).error().code, Errc::full);
    ApiKey guess = key;
    guess.secret = std::string(kSecretDigits, 'g');
    EXPECT_EQ(ask("Bearer " + guess.text()).error().code, Errc::full);
    EXPECT_EQ(keys_.asked, asked) << "a guess costs no look into the store";
    EXPECT_TRUE(ask("Bearer " + key.text()));
    EXPECT_TRUE(ask("Basic " + to_base64(key.id.text() + ":" + key.secret)));
}

// What is remembered for that is no right: it is read again as ever.
TEST_F(AuthenticatorTest, ARevokedKeyGetsInNoLongerForAThrottledPeer)
{
    open();
    const ApiKey key = add_key();
    EXPECT_TRUE(ask("Bearer " + key.text()));
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i) EXPECT_FALSE(ask("Bearer wrong"));
    keys_.stored.clear();
    now_ += CredentialAuthenticator::kKeyKept;
    EXPECT_EQ(ask("Bearer " + key.text()).error().code, Errc::full);
    const std::size_t asked = keys_.asked;
    EXPECT_EQ(ask("Bearer " + key.text()).error().code, Errc::full);
    EXPECT_EQ(keys_.asked, asked) << "and is forgotten";
}

TEST_F(AuthenticatorTest, GuessingAtAKeyDoesNotLockItsOwnerOut)
{
    open();
    const ApiKey key = add_key();
    ApiKey guess = key;
    for (std::uint32_t i = 0; i < 10 * Throttle::kFailuresMax; ++i) {
        guess.secret = std::string(kSecretDigits, static_cast<char>('a' + i % 26));
        EXPECT_FALSE(ask("Bearer " + guess.text(), asio::ip::make_address_v4(0x0A000000U + i / 3)));
    }
    EXPECT_TRUE(ask("Bearer " + key.text()));
    EXPECT_TRUE(ask("Basic " + to_base64(key.id.text() + ":" + key.secret), asio::ip::make_address("2001:db8::1")));
}

// For the audit log: who was refused and why, and nothing of what he gave.
TEST_F(AuthenticatorTest, TellsOfEveryRefusalAndNothingOfTheCredential)
{
    open();
    const ApiKey key = add_key();
    ApiKey wrong = key;
    wrong.secret = std::string(kSecretDigits, 'w');
    EXPECT_TRUE(ask("Bearer " + key.text()));
    EXPECT_FALSE(ask(""));
    EXPECT_TRUE(events_.told.empty());
    const auto far = asio::ip::make_address("2001:db8:1:2:3:4:5:6");
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i) EXPECT_FALSE(ask("Bearer " + wrong.text(), far));
    EXPECT_EQ(ask("Bearer " + wrong.text(), far).error().code, Errc::full);
    ASSERT_EQ(events_.told.size(), Throttle::kFailuresMax + 1);
    EXPECT_EQ(events_.told.front().kind.action, audit::SecurityAction::auth_failed);
    EXPECT_EQ(events_.told.back().kind.action, audit::SecurityAction::auth_throttled);
    for (const audit::SecurityEvent& event : events_.told) {
        EXPECT_EQ(event.kind.peer, "2001:db8:1:2::/64");
        EXPECT_EQ(event.kind.actor, "");
        for (const std::string& text : {event.kind.why, event.kind.route, event.request_id})
            for (const std::string& secret : {wrong.secret, key.secret, key.id.text()})
                EXPECT_EQ(text.find(secret), std::string::npos);
    }
    keys_.fault = Errc::unavailable;
    EXPECT_FALSE(ask("Bearer " + ApiKey::make(wall_now()).text()));
    EXPECT_EQ(events_.told.size(), Throttle::kFailuresMax + 1) << "an outage of ours is nobody's failure";
}

TEST_F(AuthenticatorTest, TakesTokensOnlyWithAKeySet)
{
    const test::SigningKey signer{test::SigningKey::Kind::ed25519, "k"};
    const std::string expires = std::to_string(to_unix_ms(wall_now()) / 1000 + 60);
    const std::string token =
        signer.token(R"({"alg": "EdDSA", "typ": "at+jwt", "kid": "k"})",
                     R"({"iss": "i", "aud": "a", "platform": true, "scope": "tenants:read", "exp": )" + expires + "}");
    open();
    EXPECT_EQ(ask("Bearer " + token).error().code, Errc::denied);
    const std::filesystem::path file = testing::TempDir() + "penguin-auth-jwks-" + std::to_string(::getpid());
    std::ofstream{file} << test::jwks_of(signer.jwk());
    auto jwks = JwksFile::load(file, std::chrono::steady_clock::now());
    ASSERT_TRUE(jwks);
    open(std::make_shared<JwksFile>(std::move(*jwks)));
    const auto principal = ask("Bearer " + token);
    EXPECT_FALSE(ask("Bearer " + token.substr(0, token.rfind('.') + 1), asio::ip::address{}));
    ASSERT_EQ(events_.told.size(), 2U);
    EXPECT_EQ(events_.told.front().kind.action, audit::SecurityAction::auth_failed) << "there was no key set";
    EXPECT_EQ(events_.told.back().kind.action, audit::SecurityAction::auth_forged_token);
    EXPECT_EQ(events_.told.back().kind.peer, "unix");
    std::filesystem::remove(file);
    ASSERT_TRUE(principal) << principal.error().detail;
    EXPECT_TRUE(principal->platform());
}

// Has keys when it is asked to look again, or never.
class KeysThatCome final : public KeySet {
public:
    std::shared_ptr<const Jwks> now;
    std::shared_ptr<const Jwks> later;
    int looked = 0;
    std::shared_ptr<const Jwks> keys(SteadyTime /*now*/) override { return now; }
    awaitable<void> look_again() override
    {
        ++looked;
        if (later) now = later;
        co_return;
    }
};

struct TokensAndComingKeys : AuthenticatorTest {
    const test::SigningKey signer{test::SigningKey::Kind::ed25519, "new"};
    std::shared_ptr<KeysThatCome> set = std::make_shared<KeysThatCome>();

    TokensAndComingKeys() { open(set); }
    static std::shared_ptr<const Jwks> of(const test::SigningKey& key)
    {
        return std::make_shared<const Jwks>(Jwks::parse(test::jwks_of(key.jwk())).value());
    }
    std::string token() const
    {
        const std::string expires = std::to_string(to_unix_ms(wall_now()) / 1000 + 60);
        return "Bearer " + signer.token(R"({"alg": "EdDSA", "typ": "at+jwt", "kid": "new"})",
                                        R"({"iss": "i", "aud": "a", "platform": true, "exp": )" + expires + "}");
    }
};

TEST_F(TokensAndComingKeys, AKeyThatHasJustComeIsFound)
{
    set->now = of(test::SigningKey{test::SigningKey::Kind::ed25519, "old"});
    set->later = of(signer);
    EXPECT_TRUE(ask(token()));
    EXPECT_TRUE(ask(token()));
    EXPECT_EQ(set->looked, 1);
}

TEST_F(TokensAndComingKeys, AnUnknownKeyIsForgedAndAWrongSignatureMakesNobodyLook)
{
    set->now = of(test::SigningKey{test::SigningKey::Kind::ed25519, "old"});
    EXPECT_EQ(ask(token()).error().code, Errc::denied);
    EXPECT_EQ(set->looked, 1);
    EXPECT_EQ(events_.told.back().kind.action, audit::SecurityAction::auth_forged_token);
    set->now = of(test::SigningKey{test::SigningKey::Kind::ed25519, "new"}); // another one of that name
    EXPECT_EQ(ask(token()).error().code, Errc::denied);
    EXPECT_EQ(set->looked, 1);
}

TEST_F(TokensAndComingKeys, OfAThrottledPeerAreProvedWithoutANewLook)
{
    set->now = of(signer);
    const std::string right = token();
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i) EXPECT_FALSE(ask("Bearer wrong"));
    EXPECT_TRUE(ask(right));
    set->now = of(test::SigningKey{test::SigningKey::Kind::ed25519, "old"});
    set->later = of(signer);
    EXPECT_EQ(ask(right).error().code, Errc::full);
    EXPECT_EQ(set->looked, 0);
}

TEST_F(TokensAndComingKeys, WithoutKeysNobodyIsAccused)
{
    EXPECT_EQ(ask(token()).error().code, Errc::unavailable);
    EXPECT_TRUE(events_.told.empty());
    set->later = of(signer);
    EXPECT_TRUE(ask(token()));
}

} // namespace
} // namespace penguin::control
