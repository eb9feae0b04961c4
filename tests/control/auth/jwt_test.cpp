#include "control/auth/jwt.h"

#include <gtest/gtest.h>

#include "tokens.h"

namespace penguin::control {
namespace {

using test::base64url;
using test::SigningKey;
using Kind = SigningKey::Kind;

const WallTime kNow = *parse_rfc3339("2026-11-24T12:00:00Z");
constexpr std::int64_t kNowSeconds = 1'795'521'600;
constexpr const char* kTenant = "01936f8a-0000-7000-8000-000000000001";
const JwtRules kRules{.issuer = "https://platform.example", .audience = "penguin-mta"};

std::string in(std::int64_t seconds) { return std::to_string(kNowSeconds + seconds); }

// The claims of a good token, with `changed` put over them: a field of the same name there wins.
std::string claims(const std::string& changed = "", const std::string& left_out = "")
{
    const std::pair<const char*, std::string> all[] = {{"iss", R"("https://platform.example")"},
                                                       {"aud", R"("penguin-mta")"},
                                                       {"sub", R"("worker")"},
                                                       {"iat", in(0)},
                                                       {"exp", in(300)},
                                                       {"tenant_id", "\"" + std::string{kTenant} + "\""},
                                                       {"scope", R"("batches:write events:read")"}};
    std::string text;
    for (const auto& [name, value] : all) {
        const std::string quoted = "\"" + std::string{name} + "\"";
        if (name == left_out || changed.find(quoted) != std::string::npos) continue;
        text += (text.empty() ? "" : ", ") + quoted + ": " + value;
    }
    if (!changed.empty()) text += ", " + changed;
    return "{" + text + "}";
}

std::string header(const std::string& algorithm, const std::string& kid, const std::string& more = "")
{
    return R"({"alg": ")" + algorithm + R"(", "typ": "at+jwt", "kid": ")" + kid + "\"" +
           (more.empty() ? "" : ", " + more) + "}";
}

struct Keys {
    SigningKey ec{Kind::p256, "ec"};
    SigningKey rsa{Kind::rsa2048, "rsa"};
    SigningKey ed{Kind::ed25519, "ed"};
    SigningKey stranger{Kind::p256, "ec"};
    Jwks set = *Jwks::parse(R"({"keys": [)" + ec.jwk() + "," + rsa.jwk() + "," + ed.jwk() + "]}");
};
const Keys& keys()
{
    static const Keys mine;
    return mine;
}

using Verified = std::expected<Principal, TokenRefused>;
Verified verified(const std::string& token) { return verify_jwt(token, keys().set, kRules, kNow); }
Verified verified_claims(const std::string& text) { return verified(keys().ec.token(header("ES256", "ec"), text)); }

TEST(Jwt, OfEachAlgorithmIsTaken)
{
    for (const auto& token :
         {keys().ec.token(header("ES256", "ec"), claims()), keys().rsa.token(header("RS256", "rsa"), claims()),
          keys().ed.token(header("EdDSA", "ed"), claims())}) {
        const Verified principal = verified(token);
        ASSERT_TRUE(principal) << principal.error().detail;
        EXPECT_EQ(principal->tenant, TenantId{*Uuid::parse(kTenant)});
        EXPECT_EQ(principal->subject, "worker");
        EXPECT_TRUE(principal->may("batches:write"));
        EXPECT_TRUE(principal->may("events:read"));
        EXPECT_FALSE(principal->may("domains:read"));
    }
}

TEST(Jwt, SpeaksForThePlatformWhenItSaysSo)
{
    const auto principal = verified_claims(claims(R"("platform": true, "scopes": ["tenants:write"])", "tenant_id"));
    ASSERT_TRUE(principal) << principal.error().detail;
    EXPECT_TRUE(principal->platform());
    EXPECT_TRUE(principal->may("tenants:write"));
}

TEST(Jwt, GivesAmrAndAuthTime)
{
    const auto principal = verified_claims(claims(R"("amr": ["pwd", "mfa"], "auth_time": )" + in(-60)));
    ASSERT_TRUE(principal);
    EXPECT_TRUE(principal->amr.contains("mfa"));
    EXPECT_EQ(principal->auth_time, kNow - std::chrono::seconds{60});
}

struct Claims {
    const char* name;
    std::string text;
    bool good;
};

const Claims kClaims[] = {
    {"Plain", claims(), true},
    {"AudienceList", claims(R"("aud": ["other", "penguin-mta"])"), true},
    {"TypWithinLeewayExpired", claims("\"exp\": " + in(-59)), true},
    {"Expired", claims("\"exp\": " + in(-60)), false},
    {"LongExpired", claims("\"exp\": 0"), false},
    {"NoExp", claims("", "exp"), false},
    {"ExpIsText", claims(R"("exp": ")" + in(300) + "\""), false},
    {"ExpIsNegative", claims("\"exp\": -1"), false},
    {"ExpIsHuge", claims("\"exp\": 1e300"), false},
    {"NotYet", claims("\"nbf\": " + in(61)), false},
    {"NotYetWithinLeeway", claims("\"nbf\": " + in(60)), true},
    {"FromTheFuture", claims("\"iat\": " + in(3600)), false},
    {"WrongIssuer", claims(R"("iss": "https://platform.example.evil")"), false},
    {"IssuerWithSlash", claims(R"("iss": "https://platform.example/")"), false},
    {"NoIssuer", claims("", "iss"), false},
    {"IssuerList", claims(R"("iss": ["https://platform.example"])"), false},
    {"WrongAudience", claims(R"("aud": "other")"), false},
    {"NoAudience", claims("", "aud"), false},
    {"EmptyAudienceList", claims(R"("aud": [])"), false},
    {"NobodysToken", claims("", "tenant_id"), false},
    {"TenantAndPlatform", claims(R"("platform": true)"), false},
    {"PlatformAsText", claims(R"("platform": "true")", "tenant_id"), false},
    {"TenantIsNil", claims(R"("tenant_id": "00000000-0000-0000-0000-000000000000")"), false},
    {"TenantIsNoUuid", claims(R"("tenant_id": "acme")"), false},
    {"TenantIsANumber", claims(R"("tenant_id": 1)"), false},
    {"NotAnObject", "[]", false},
    {"NotJson", "tenant", false},
    {"TwiceTheTenant", R"({"tenant_id": "a", "tenant_id": "b"})", false},
};

class JwtClaims : public testing::TestWithParam<Claims> {};
TEST_P(JwtClaims, AreJudged)
{
    const auto principal = verified_claims(GetParam().text);
    EXPECT_EQ(principal.has_value(), GetParam().good) << (principal ? "" : principal.error().detail);
    if (!principal) {
        EXPECT_EQ(principal.error().fault, TokenFault::claims);
    }
}
INSTANTIATE_TEST_SUITE_P(Rfc7519, JwtClaims, testing::ValuesIn(kClaims),
                         [](const auto& row) { return row.param.name; });

// RFC 8725 2 and 3: what has been tried against others.
TEST(Jwt, Forged)
{
    const Keys& k = keys();
    const std::string good = k.ec.token(header("ES256", "ec"), claims());
    const std::string signed_text = good.substr(0, good.rfind('.'));
    std::string flipped = good;
    flipped[flipped.size() - 10] = flipped[flipped.size() - 10] == 'A' ? 'B' : 'A';
    const std::string head = base64url(header("ES256", "ec"));
    const std::pair<const char*, std::string> forged[] = {
        {"nothing", ""},
        {"one part", "abc"},
        {"two parts", signed_text},
        {"four parts", good + ".e30"},
        {"no signature", signed_text + "."},
        {"alg none", base64url(R"({"alg": "none", "typ": "at+jwt", "kid": "ec"})") + "." + base64url(claims()) + "."},
        {"alg None with a signature", k.ec.token(R"({"alg": "None", "typ": "at+jwt", "kid": "ec"})", claims())},
        {"HS256 with the public key", test::hmac_token(header("HS256", "rsa"), claims(), k.rsa.public_pem())},
        {"HS256 with the JWK", test::hmac_token(header("HS256", "rsa"), claims(), k.rsa.jwk())},
        {"RS256 said, HMAC done", test::hmac_token(header("RS256", "rsa"), claims(), k.rsa.public_pem())},
        {"RS256 for an EC key", k.ec.token(header("RS256", "ec"), claims())},
        {"ES256 for an RSA key", k.rsa.token(header("ES256", "rsa"), claims())},
        {"PS256", k.rsa.token(header("PS256", "rsa"), claims())},
        {"RS512", k.rsa.token(header("RS512", "rsa"), claims())},
        {"another kid", k.ec.token(header("ES256", "rsa"), claims())},
        {"unknown kid", k.ec.token(header("ES256", "nobody"), claims())},
        {"empty kid", k.ec.token(header("ES256", ""), claims())},
        {"no kid", k.ec.token(R"({"alg": "ES256", "typ": "at+jwt"})", claims())},
        {"kid is a number", k.ec.token(R"({"alg": "ES256", "typ": "at+jwt", "kid": 1})", claims())},
        {"a stranger's key of our kid", k.stranger.token(header("ES256", "ec"), claims())},
        {"a stranger's key in jwk", k.stranger.token(header("ES256", "ec", "\"jwk\": " + k.stranger.jwk()), claims())},
        {"a stranger's jku",
         k.stranger.token(header("ES256", "ec", R"("jku": "https://evil.example/jwks")"), claims())},
        {"a stranger's x5u", k.stranger.token(header("ES256", "ec", R"("x5u": "https://evil.example/x5u")"), claims())},
        {"crit", k.ec.token(header("ES256", "ec", R"("crit": ["exp"], "exp": 1)"), claims())},
        {"empty crit", k.ec.token(header("ES256", "ec", R"("crit": [])"), claims())},
        {"typ of another kind", k.ec.token(R"({"alg": "ES256", "typ": "logout+jwt", "kid": "ec"})", claims())},
        {"no typ", k.ec.token(R"({"alg": "ES256", "kid": "ec"})", claims())},
        {"alg twice", k.ec.token(R"({"alg": "none", "alg": "ES256", "typ": "at+jwt", "kid": "ec"})", claims())},
        {"a changed signature", flipped},
        {"other claims under the signature",
         head + "." + base64url(claims(R"("sub": "root")")) + good.substr(good.rfind('.'))},
        {"a signature of zeros", signed_text + "." + base64url(std::string(64, '\0'))},
        {"a signature in DER", signed_text + "." + base64url("\x30\x06\x02\x01\x01\x02\x01\x01")},
        {"a signature too long", good + "AAAA"},
        {"padding", good + "="},
        {"a space before", " " + good},
        {"a line end behind", good + "\n"},
        {"standard base64", "ey+/" + good},
    };
    ASSERT_TRUE(verified(good));
    for (const auto& [what, token] : forged) {
        const auto principal = verified(token);
        EXPECT_FALSE(principal) << what;
        if (!principal) {
            EXPECT_NE(principal.error().fault, TokenFault::claims) << what;
        }
    }
}

// What an audit says of it: that somebody forged a token, or only that it is none.
TEST(Jwt, ForgedIsWhatNoneOfOurKeysSigned)
{
    const Keys& k = keys();
    const std::string good = k.ec.token(header("ES256", "ec"), claims());
    for (const std::string& token :
         {k.ec.token(header("RS256", "ec"), claims()), k.ec.token(header("ES256", "nobody"), claims()),
          k.stranger.token(header("ES256", "ec"), claims()), test::hmac_token(header("HS256", "rsa"), claims(), ""),
          good.substr(0, good.rfind('.') + 1)})
        EXPECT_EQ(verified(token).error().fault, TokenFault::forged) << token;
    for (const std::string& token : {std::string{}, std::string{"a.b.c"}, std::string(kTokenMax + 1, 'a'), " " + good,
                                     k.ec.token(R"({"alg": "ES256", "kid": "ec"})", claims())})
        EXPECT_EQ(verified(token).error().fault, TokenFault::no_token) << token;
}

// Whatever a kid looks like to a file system, a database or a browser, it is compared and nothing else.
TEST(Jwt, AKidOnlyChoosesAmongOurKeys)
{
    for (const char* kid :
         {"/dev/null", "../../../../dev/null", "file:///dev/null", "https://evil.example/key", "ec' or '1'='1",
          "ec\\u0000", "ec\\u0000.pem", "EC", " ec", "ec ", "%65c", "e\\u200bc", "$(id)", "ec\\nrsa", "*", "{{ec}}"}) {
        const auto principal = verified(keys().ec.token(header("ES256", kid), claims()));
        EXPECT_FALSE(principal) << kid;
        // Neither does an empty secret open anything, which is what some such file would have given.
        EXPECT_FALSE(verified(test::hmac_token(header("HS256", kid), claims(), ""))) << kid;
    }
    EXPECT_TRUE(verified(keys().ec.token(header("ES256", "\\u0065c"), claims())))
        << "JSON spells it so: it is the same kid";
    EXPECT_FALSE(verified(keys().ec.token(header("ES256", std::string(4'000, 'k')), claims())));
}

TEST(Jwt, LastCharacterOfASignatureHasOneForm)
{
    // 64 octets leave 4 unused bits in the last character of base64url: all but one of its 16 forms are refused.
    const std::string good = keys().ec.token(header("ES256", "ec"), claims());
    unsigned taken = 0;
    for (const char last : std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}) {
        std::string other = good;
        other.back() = last;
        if (verified(other)) ++taken;
    }
    EXPECT_EQ(taken, 1U);
}

TEST(Jwt, IsBoundedInSize)
{
    const auto big = verified_claims(claims(R"("filler": ")" + std::string(kTokenMax, 'x') + "\""));
    EXPECT_FALSE(big);
    EXPECT_TRUE(verified_claims(claims(R"("filler": ")" + std::string(4'000, 'x') + "\"")));
    std::string deep = R"("deep": )" + std::string(20, '[') + std::string(20, ']');
    EXPECT_FALSE(verified_claims(claims(deep)));
}

TEST(Jwt, TypeIsConfiguredAndComparesWithoutCase)
{
    const JwtRules plain{.issuer = kRules.issuer, .audience = kRules.audience, .type = "JWT"};
    const std::string token = keys().ec.token(R"({"alg": "ES256", "typ": "jwt", "kid": "ec"})", claims());
    EXPECT_TRUE(verify_jwt(token, keys().set, plain, kNow));
    EXPECT_FALSE(verified(token));
    EXPECT_TRUE(verified(keys().ec.token(R"({"alg": "ES256", "typ": "application/AT+JWT", "kid": "ec"})", claims())));
}

TEST(Jwt, NothingIsValidWithoutRules)
{
    const std::string token = keys().ec.token(header("ES256", "ec"), claims(R"("iss": "", "aud": "")"));
    EXPECT_FALSE(verify_jwt(token, keys().set, JwtRules{}, kNow)) << "an empty issuer is no issuer";
}

} // namespace
} // namespace penguin::control
