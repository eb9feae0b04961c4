#include "control/ctl/call.h"

#include <algorithm>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <fmt/format.h>

namespace penguin::control::ctl {

namespace {

namespace json = boost::json;

std::string encoded(std::string_view text) { return boost::urls::encode(text, boost::urls::unreserved_chars); }

template <class Number>
Result<json::value> number_of(const Param& param, std::string_view text)
{
    Number value{};
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size())
        return fail(Errc::bad_value, fmt::format("{}: '{}' is not a number", option_of(param), text));
    return value;
}

// "a,b" and "c" are three.
json::array items_of(const std::vector<std::string>& values)
{
    json::array items;
    for (std::string_view rest : values) {
        while (!rest.empty()) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            if (comma > 0) items.emplace_back(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return items;
}

Result<json::value> value_of(const Param& param, const std::vector<std::string>& values)
{
    switch (param.kind) {
    case Kind::text: return json::value(values.front());
    case Kind::texts: return json::value(items_of(values));
    case Kind::whole: return number_of<std::int64_t>(param, values.front());
    case Kind::number: return number_of<double>(param, values.front());
    case Kind::flag: break;
    }
    if (values.front() != "true" && values.front() != "false")
        return fail(Errc::bad_value, fmt::format("{}: true or false", option_of(param)));
    return json::value(values.front() == "true");
}

std::string query_text(const Param& param, const json::value& value)
{
    return fmt::format("{}={}", param.name,
                       encoded(value.is_string() ? std::string{value.as_string()} : json::serialize(value)));
}

} // namespace

Result<Call> call_of(const Verb& verb, const Given& given, std::string document, std::string idempotency_key)
{
    Call call{.method = std::string{verb.method},
              .target = std::string{verb.path},
              .body = std::move(document),
              .if_match = {},
              .idempotency_key = std::move(idempotency_key),
              .repeatable = verb.repeatable || verb.method != "POST"};
    call.repeatable = call.repeatable || !call.idempotency_key.empty();
    json::object body;
    std::string query;
    for (const Param& param : verb.params) {
        const auto values = given.find(param.name);
        if (values == given.end()) continue;
        const Result<json::value> value = value_of(param, values->second);
        if (!value) return std::unexpected{value.error()};
        switch (param.place) {
        case Place::path: {
            const std::string hole = fmt::format("{{{}}}", param.name);
            call.target.replace(call.target.find(hole), hole.size(), encoded(values->second.front()));
            break;
        }
        case Place::query: query += (query.empty() ? "?" : "&") + query_text(param, *value); break;
        case Place::body: body[json::string_view{param.name.data(), param.name.size()}] = *value; break;
        case Place::if_match: call.if_match = fmt::format("\"{}\"", values->second.front()); break;
        }
    }
    call.target += query;
    const bool takes_body =
        std::ranges::any_of(verb.params, [](const Param& param) { return param.place == Place::body; });
    if (!verb.file_field.empty()) body[json::string_view{verb.file_field.data(), verb.file_field.size()}] = call.body;
    if (takes_body || !verb.file_field.empty()) call.body = json::serialize(body);
    return call;
}

} // namespace penguin::control::ctl
