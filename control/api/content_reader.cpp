#include "control/api/content_reader.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "engine/mail/base64.h"

namespace penguin::control::api {

std::optional<NamedAddress> read_named_address(ObjectReader& body, std::string_view field, bool required)
{
    const json::object* object = required ? body.object(field) : body.optional_object(field);
    if (object == nullptr) return std::nullopt;
    ObjectReader reader{*object, body.issues(), body.path_of(field), body.nulls()};
    std::optional<EmailAddress> address = reader.address("email");
    const auto name = reader.optional_text("name", {.max = kNameMax});
    reader.finish();
    if (!address) return std::nullopt;
    return NamedAddress{std::string{name.value_or("")}, std::move(*address)};
}

std::vector<std::pair<std::string, std::string>> read_headers(ObjectReader& body, std::string_view field)
{
    std::vector<std::pair<std::string, std::string>> headers;
    const json::object* object = body.optional_object(field);
    if (object == nullptr) return headers;
    if (object->size() > kHeadersMax) {
        body.issue(field, "too_many", fmt::format("holds {}, at most {} are allowed", object->size(), kHeadersMax));
        return headers;
    }
    ObjectReader reader{*object, body.issues(), body.path_of(field), body.nulls()};
    for (const auto& [name, value] : *object) {
        const std::string_view key{name.data(), name.size()};
        headers.emplace_back(key, reader.optional_text(key).value_or(""));
    }
    return headers;
}

json::object read_flat(ObjectReader& body, std::string_view field)
{
    json::object flat;
    const json::object* object = body.optional_object(field);
    if (object == nullptr) return flat;
    for (const auto& [name, value] : *object) {
        const std::string_view key{name.data(), name.size()};
        const std::string_view text = value.is_string() ? text_of(value.get_string()) : std::string_view{};
        const http::Path parent = body.path_of(field);
        const auto issue = [&](std::string_view code, std::string detail) {
            body.issues().add(http::Path{&parent, key, {}}.text(), code, std::move(detail));
        };
        if (value.is_object() || value.is_array())
            issue("wrong_type", "must be a string, a number or a boolean");
        else if (text.contains('\0') || key.contains('\0'))
            issue("bad_format", "must not hold NUL");
        else if (!value.is_null())
            flat.emplace(name, value);
    }
    return flat;
}

std::string variables_text(const json::object& variables)
{
    return variables.empty() ? std::string{} : json::serialize(variables);
}

std::string plain_text(const json::value& value)
{
    return value.is_string() ? std::string{text_of(value.get_string())} : json::serialize(value);
}

std::string read_base64(ObjectReader& body, std::string_view field, std::size_t octets_max)
{
    const std::string_view text = body.text(field, {.min = 0, .max = octets_max / 3 * 4 + octets_max / 32});
    Result<std::string> bytes = from_base64(text, WhiteSpace::skipped);
    if (bytes && bytes->size() <= octets_max) return std::move(*bytes);
    body.issue(field, bytes ? "too_long" : "bad_format", bytes ? "is too long" : "must be base64");
    return {};
}

Problem problem_of(const submit::BatchRefused& refused, std::string_view content_field)
{
    using Kind = submit::BatchRefused::Kind;
    switch (refused.kind) {
    case Kind::bad_request:
    case Kind::bad_content:
        return Problem{.code = Code::validation_failed,
                       .detail = refused.detail,
                       .errors = {{refused.field.empty() ? std::string{content_field} : refused.field, "bad_value",
                                   refused.detail}}};
    case Kind::domain_not_verified: return Problem{.code = Code::domain_not_verified, .detail = refused.detail};
    case Kind::tenant_not_active: return Problem{.code = Code::tenant_suspended, .detail = refused.detail};
    case Kind::key_reused:
        return Problem{.code = Code::idempotency_key_reused,
                       .detail = "The Idempotency-Key belongs to another request."};
    case Kind::unavailable: return http::problem_of(Error{Errc::unavailable, refused.detail});
    case Kind::backlog_full: {
        Problem problem = http::problem_of(Error{Errc::full, refused.detail});
        problem.detail = refused.detail;
        return problem;
    }
    case Kind::fault: return http::problem_of(Error{Errc::local_fault, refused.detail});
    case Kind::no_recipient_accepted: break;
    }
    Problem problem{.code = Code::no_recipient_accepted, .detail = "Every recipient was refused."};
    for (const submit::Refusal& refusal : refused.refused) {
        if (problem.errors.size() == Problem::kFieldErrorsMax) break;
        problem.errors.push_back(
            {fmt::format("recipients[{}].email", refusal.index), std::string{name_of(refusal.code)}, refusal.detail});
    }
    return problem;
}

} // namespace penguin::control::api
