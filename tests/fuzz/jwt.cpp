// Tokens and key sets of strangers. Nobody who fuzzes can sign, so no token may be taken.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/auth/api_key.h"
#include "control/auth/jwt.h"

using namespace penguin;
using namespace penguin::control;

namespace {

// Its private key is not kept anywhere.
constexpr std::string_view kKeys = R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    static const Jwks keys = *Jwks::parse(kKeys);
    const JwtRules rules{.issuer = "i", .audience = "a"};
    const auto principal = verify_jwt(text, keys, rules, *parse_rfc3339("2026-11-24T00:00:00Z"));
    if (principal || principal.error().fault == TokenFault::claims) std::abort();
    const auto set = Jwks::parse(text);
    if (set && set->size() == 0) std::abort();
    const auto key = ApiKey::parse(text);
    if (key && ApiKey::parse(key->text())->secret != key->secret) std::abort();
    if (const auto basic = ApiKey::from_basic(text); basic && basic->secret.size() > kSecretGivenMax) std::abort();
    return 0;
}
