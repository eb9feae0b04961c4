#include "control/auth/jwt.h"

#include <algorithm>
#include <array>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "control/auth/openssl.h"
#include "control/json/strict_json.h"

namespace penguin::control {

namespace {

namespace json = boost::json;

constexpr JsonLimits kTokenJson{.depth = 8, .values = 256};
constexpr std::size_t kSubjectMax = 256; // octets kept for the log

std::unexpected<Error> denied(std::string detail) { return fail(Errc::denied, std::move(detail)); }

struct Parts {
    std::string_view header, claims, signature, signed_text;
};

std::optional<Parts> split(std::string_view token)
{
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                 token.substr(0, second)};
}

Result<json::object> object_of(std::string_view part, std::string_view name)
{
    const Result<std::string> text = from_base64url(part);
    if (!text) return denied(fmt::format("the {} is not base64url", name));
    auto value = parse_strict_json(*text, kTokenJson);
    if (!value || !value->is_object()) return denied(fmt::format("the {} is not one JSON object", name));
    return json::object{std::move(value->get_object()), json::storage_ptr{}};
}

bool same_type(std::string_view given, std::string_view wanted)
{
    constexpr std::string_view prefix = "application/";
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (std::ranges::equal(given.substr(0, prefix.size()), prefix, {}, lower, lower))
        given.remove_prefix(prefix.size());
    return std::ranges::equal(given, wanted, {}, lower, lower);
}

Result<json::object> header_of(const Parts& parts, const JwtRules& rules)
{
    Result<json::object> header = object_of(parts.header, "header");
    if (!header) return header;
    if (header->contains("crit")) return denied("crit names an extension that we do not know");
    if (!same_type(text_member(*header, "typ").value_or(""), rules.type)) return denied("another typ");
    return header;
}

Result<const VerifyKey*> key_for(const json::object& header, const Jwks& keys)
{
    const VerifyKey* key = keys.find(text_member(header, "kid").value_or(""));
    if (key == nullptr) return fail(Errc::not_found, "no key of that kid");
    if (text_member(header, "alg").value_or("") != name_of(key->algorithm)) return denied("alg is not the key's");
    return key;
}

// A NumericDate; nothing when it is not there. Errors: denied.
Result<std::optional<WallTime>> time_of(const json::object& claims, std::string_view name)
{
    constexpr double kSecondsMax = 1e11; // some thousand years: what is over it is no date
    const json::value* value = claims.if_contains(json::string_view{name.data(), name.size()});
    if (value == nullptr) return std::nullopt;
    json::error_code code;
    const double seconds = value->is_number() ? value->to_number<double>(code) : -1;
    if (code || seconds < 0 || seconds > kSecondsMax) return denied(fmt::format("{} is no date", name));
    return WallTime{std::chrono::microseconds{static_cast<std::int64_t>(seconds * 1e6)}};
}

Result<> check_times(const json::object& claims, WallTime now)
{
    const auto expires = time_of(claims, "exp");
    const auto begins = time_of(claims, "nbf");
    const auto issued = time_of(claims, "iat");
    if (!expires || !begins || !issued) return denied("a time claim is no date");
    if (!*expires) return denied("no exp");
    if (now >= **expires + kLeeway) return denied("expired");
    if (*begins && now + kLeeway < **begins) return denied("not valid yet");
    if (*issued && now + kLeeway < **issued) return denied("issued in the future");
    return {};
}

bool names_audience(const json::object& claims, std::string_view audience)
{
    if (text_member(claims, "aud") == audience) return true;
    const json::value* value = claims.if_contains("aud");
    if (value == nullptr || !value->is_array()) return false;
    return std::ranges::any_of(value->get_array(), [audience](const json::value& one) {
        return one.is_string() && std::string_view{one.get_string().data(), one.get_string().size()} == audience;
    });
}

std::set<std::string, std::less<>> words_of(const json::object& claims, std::string_view name)
{
    std::set<std::string, std::less<>> words;
    const json::value* value = claims.if_contains(json::string_view{name.data(), name.size()});
    if (value == nullptr) return words;
    if (const json::array* array = value->if_array()) {
        for (const json::value& one : *array)
            if (one.is_string()) words.emplace(one.get_string().c_str());
        return words;
    }
    std::string_view text = text_member(claims, name).value_or("");
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0) words.emplace(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

// A token speaks for one tenant or for the platform. One that says neither, or both, speaks for nobody.
Result<std::optional<TenantId>> tenant_of(const json::object& claims)
{
    const json::value* platform = claims.if_contains("platform");
    const bool is_platform = platform != nullptr && platform->is_bool() && platform->get_bool();
    if (is_platform && !claims.contains("tenant_id")) return std::nullopt;
    const Result<Uuid> tenant = Uuid::parse(text_member(claims, "tenant_id").value_or(""));
    if (is_platform || !tenant || tenant->nil()) return denied("neither one tenant nor the platform");
    return TenantId{*tenant};
}

Result<Principal> principal_of(const json::object& claims)
{
    const Result<std::optional<TenantId>> tenant = tenant_of(claims);
    if (!tenant) return std::unexpected{tenant.error()};
    const auto auth_time = time_of(claims, "auth_time");
    if (!auth_time) return std::unexpected{auth_time.error()};
    Principal principal{.tenant = *tenant,
                        .scopes = words_of(claims, "scope"),
                        .subject = std::string{text_member(claims, "sub").value_or("").substr(0, kSubjectMax)},
                        .amr = words_of(claims, "amr"),
                        .auth_time = *auth_time};
    principal.scopes.merge(words_of(claims, "scopes"));
    return principal;
}

Result<> check_signature(const Parts& parts, const json::object& header, const Jwks& keys)
{
    const Result<const VerifyKey*> key = key_for(header, keys);
    if (!key) return std::unexpected{key.error()};
    const Result<std::string> signature = from_base64url(parts.signature);
    if (!signature || !(*key)->verifies(parts.signed_text, *signature)) return denied("the signature does not verify");
    return {};
}

Result<Principal> check_claims(const Parts& parts, const JwtRules& rules, WallTime now)
{
    const Result<json::object> claims = object_of(parts.claims, "claims");
    if (!claims) return std::unexpected{claims.error()};
    if (rules.issuer.empty() || text_member(*claims, "iss") != rules.issuer) return denied("another issuer");
    if (rules.audience.empty() || !names_audience(*claims, rules.audience)) return denied("another audience");
    if (const Result<> times = check_times(*claims, now); !times) return std::unexpected{times.error()};
    return principal_of(*claims);
}

} // namespace

std::expected<Principal, TokenRefused> verify_jwt(std::string_view token, const Jwks& keys, const JwtRules& rules,
                                                  WallTime now)
{
    const auto refused = [](TokenFault fault, std::string detail) {
        return std::unexpected{TokenRefused{.fault = fault, .detail = std::move(detail)}};
    };
    if (token.size() > kTokenMax) return refused(TokenFault::no_token, "longer than 8 KiB");
    const auto parts = split(token);
    if (!parts) return refused(TokenFault::no_token, "not three parts");
    const Result<json::object> header = header_of(*parts, rules);
    if (!header) return refused(TokenFault::no_token, header.error().detail);
    const Result<> ours = check_signature(*parts, *header, keys);
    if (!ours)
        return std::unexpected{TokenRefused{.fault = TokenFault::forged,
                                            .detail = ours.error().detail,
                                            .unknown_key = ours.error().code == Errc::not_found}};
    Result<Principal> principal = check_claims(*parts, rules, now);
    if (!principal) return refused(TokenFault::claims, principal.error().detail);
    return std::move(*principal);
}

} // namespace penguin::control
