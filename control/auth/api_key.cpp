#include "control/auth/api_key.h"

#include <algorithm>

#include "control/auth/openssl.h"
#include "engine/mail/base64.h"

namespace penguin::control {

namespace {

constexpr std::size_t kIdDigits = 32;

std::string without_hyphens(const Uuid& id)
{
    std::string text = id.text();
    std::erase(text, '-');
    return text;
}

Result<Uuid> uuid_of_digits(std::string_view digits)
{
    std::string text{digits};
    for (const std::size_t place : {8U, 13U, 18U, 23U}) text.insert(place, 1, '-');
    return Uuid::parse(text);
}

} // namespace

ApiKey ApiKey::make(WallTime now) { return ApiKey{Uuid::v7(now), random_base62(kSecretDigits)}; }

std::string ApiKey::text() const { return std::string{kApiKeyPrefix} + without_hyphens(id) + "_" + secret; }

Result<ApiKey> ApiKey::parse(std::string_view text)
{
    const auto malformed = fail(Errc::malformed, "not an API key");
    if (!text.starts_with(kApiKeyPrefix)) return malformed;
    text.remove_prefix(kApiKeyPrefix.size());
    if (text.size() <= kIdDigits + 1 || text[kIdDigits] != '_') return malformed;
    const Result<Uuid> id = uuid_of_digits(text.substr(0, kIdDigits));
    const std::string_view secret = text.substr(kIdDigits + 1);
    if (!id || secret.size() > kSecretGivenMax) return malformed;
    return ApiKey{*id, std::string{secret}};
}

Result<ApiKey> ApiKey::from_basic(std::string_view encoded)
{
    const auto malformed = fail(Errc::malformed, "not Basic credentials of an API key");
    if (encoded.size() > 4 * kSecretGivenMax) return malformed;
    const Result<std::string> pair = from_base64(encoded);
    if (!pair) return malformed;
    const std::size_t colon = pair->find(':');
    if (colon == std::string::npos) return malformed;
    const Result<Uuid> id = Uuid::parse(pair->substr(0, colon));
    std::string secret = pair->substr(colon + 1);
    if (!id || secret.empty() || secret.size() > kSecretGivenMax) return malformed;
    return ApiKey{*id, std::move(secret)};
}

std::string hash_of(const ApiKey& key, const ApiKeyHashKey& hash_key)
{
    const auto digest = hmac_sha256(hash_key, key.id.text() + ":" + key.secret);
    return std::string{digest.begin(), digest.end()};
}

} // namespace penguin::control
