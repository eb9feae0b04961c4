#include "control/http/json_reader.h"

#include <algorithm>
#include <cmath>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/json/strict_json.h"

namespace penguin::control::http {

namespace json = boost::json;

namespace {

std::string_view kind_of(const json::value& value)
{
    switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return "a number";
    case json::kind::string: return "a string";
    case json::kind::array: return "an array";
    case json::kind::object: return "an object";
    }
    return "nothing";
}

std::string not_a(std::string_view wanted, const json::value& value)
{
    return fmt::format("must be {}, not {}", wanted, kind_of(value));
}

} // namespace

void Issues::add(std::string field, std::string_view code, std::string detail)
{
    if (errors_.size() == Problem::kFieldErrorsMax) return;
    errors_.push_back(FieldError{std::move(field), std::string{code}, std::move(detail)});
}

Problem Issues::problem() &&
{
    const FieldError& first = errors_.front();
    std::string detail = fmt::format("{}: {}", first.field, first.detail);
    if (errors_.size() > 1) detail += fmt::format(" (and {} more)", errors_.size() - 1);
    return Problem{.code = Code::validation_failed, .detail = std::move(detail), .errors = std::move(errors_)};
}

std::string Path::text() const
{
    std::string text = parent ? parent->text() : std::string{};
    const bool named = !name.empty() || (parent != nullptr && !index); // neither the document nor an element of a list
    if (named && !text.empty()) text += '.';
    if (named) text += name_in_path(name);
    if (index) text += fmt::format("[{}]", *index);
    return text;
}

ObjectReader::ObjectReader(const json::object& object, Issues& issues, Path path, Nulls nulls)
    : object_{object},
      issues_{issues},
      path_{path},
      nulls_{nulls}
{
}

void ObjectReader::issue(std::string_view name, std::string_view code, std::string detail)
{
    issues_.add(path_of(name).text(), code, std::move(detail));
}

bool ObjectReader::has(std::string_view name) const
{
    const json::value* value = object_.if_contains(json::string_view{name.data(), name.size()});
    return value != nullptr && !(value->is_null() && nulls_ == Nulls::absent);
}

const json::value* ObjectReader::find(std::string_view name)
{
    asked_.push_back(name);
    if (!has(name)) return nullptr;
    return object_.if_contains(json::string_view{name.data(), name.size()});
}

const json::value* ObjectReader::need(std::string_view name)
{
    const json::value* value = find(name);
    if (value == nullptr) issue(name, "required", "is required");
    return value;
}

std::optional<std::string_view> ObjectReader::text_of(const json::value* value, std::string_view name, TextRule rule)
{
    if (value == nullptr) return std::nullopt;
    const json::string* text = value->if_string();
    if (text == nullptr) {
        issue(name, "wrong_type", not_a("a string", *value));
        return std::nullopt;
    }
    const std::string_view view{text->data(), text->size()};
    if (view.size() > rule.max)
        issue(name, "too_long", fmt::format("is longer than {} octets", rule.max));
    else if (view.size() < rule.min)
        issue(name, "bad_format", "must not be empty");
    else if (view.contains('\0'))
        issue(name, "bad_format", "must not hold NUL");
    else
        return view;
    return std::nullopt;
}

std::string_view ObjectReader::text(std::string_view name, TextRule rule)
{
    return text_of(need(name), name, rule).value_or(std::string_view{});
}

std::optional<std::string_view> ObjectReader::optional_text(std::string_view name, TextRule rule)
{
    return text_of(find(name), name, rule);
}

std::optional<bool> ObjectReader::optional_boolean(std::string_view name)
{
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const bool* truth = value->if_bool()) return *truth;
    issue(name, "wrong_type", not_a("a boolean", *value));
    return std::nullopt;
}

bool ObjectReader::boolean(std::string_view name, bool otherwise) { return optional_boolean(name).value_or(otherwise); }

std::optional<double> ObjectReader::number(std::string_view name, double min, double max)
{
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    json::error_code ec;
    const double number = value->is_number() ? value->to_number<double>(ec) : std::nan("");
    if (!value->is_number())
        issue(name, "wrong_type", not_a("a number", *value));
    else if (ec || number < min || number > max)
        issue(name, "out_of_range", fmt::format("must be from {} to {}", min, max));
    else
        return number;
    return std::nullopt;
}

std::optional<EmailAddress> ObjectReader::address(std::string_view name)
{
    const auto given = text_of(need(name), name, {.max = 1'024});
    if (!given) return std::nullopt;
    Result<EmailAddress> address = EmailAddress::parse(*given);
    if (address) return std::move(*address);
    issue(name, "bad_address", address.error().detail);
    return std::nullopt;
}

std::optional<DomainName> ObjectReader::domain(std::string_view name)
{
    const auto given = text_of(need(name), name, {.max = 1'024});
    if (!given) return std::nullopt;
    Result<DomainName> domain = DomainName::parse(*given);
    if (domain) return std::move(*domain);
    issue(name, "bad_format", domain.error().detail);
    return std::nullopt;
}

std::optional<Uuid> ObjectReader::optional_uuid(std::string_view name)
{
    const auto given = optional_text(name);
    if (!given) return std::nullopt;
    const Result<Uuid> uuid = Uuid::parse(*given);
    if (uuid && !uuid->nil()) return *uuid;
    issue(name, "bad_format", "must be a UUID");
    return std::nullopt;
}

std::optional<WallTime> ObjectReader::optional_time(std::string_view name)
{
    const auto given = optional_text(name);
    if (!given) return std::nullopt;
    const Result<WallTime> time = parse_rfc3339(*given);
    if (time) return *time;
    issue(name, "bad_format", "must be an RFC 3339 time, such as 2026-11-24T04:29:07Z");
    return std::nullopt;
}

std::optional<std::size_t> ObjectReader::word(std::string_view name, const std::vector<std::string_view>& words)
{
    const auto given = optional_text(name);
    if (!given) return std::nullopt;
    const auto found = std::ranges::find(words, *given);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    issue(name, "bad_value", fmt::format("must be one of {}", fmt::join(words, ", ")));
    return std::nullopt;
}

const json::object* ObjectReader::object_of(const json::value* value, std::string_view name)
{
    if (value == nullptr) return nullptr;
    if (const json::object* object = value->if_object()) return object;
    issue(name, "wrong_type", not_a("an object", *value));
    return nullptr;
}

const json::object* ObjectReader::object(std::string_view name) { return object_of(need(name), name); }
const json::object* ObjectReader::optional_object(std::string_view name) { return object_of(find(name), name); }

const json::array* ObjectReader::array_of(const json::value* value, std::string_view name, std::size_t min,
                                          std::size_t max)
{
    if (value == nullptr) return nullptr;
    const json::array* array = value->if_array();
    if (array == nullptr)
        issue(name, "wrong_type", not_a("an array", *value));
    else if (array->size() < min)
        issue(name, "too_few", fmt::format("must hold at least {}", min));
    else if (array->size() > max)
        issue(name, "too_many", fmt::format("holds {}, at most {} are allowed", array->size(), max));
    else
        return array;
    return nullptr;
}

const json::array* ObjectReader::array(std::string_view name, std::size_t min, std::size_t max)
{
    return array_of(need(name), name, min, max);
}

const json::array* ObjectReader::optional_array(std::string_view name, std::size_t max)
{
    return array_of(find(name), name, 0, max);
}

const json::value* ObjectReader::any(std::string_view name) { return need(name); }

void ObjectReader::finish()
{
    for (const auto& field : object_) {
        const std::string_view name{field.key().data(), field.key().size()};
        if (std::ranges::find(asked_, name) != asked_.end()) continue;
        issue(name, "unknown_field", "there is no such field");
    }
}

std::expected<json::value, Problem> parse_json(std::string_view body)
{
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return std::unexpected{Problem{.code = Code::malformed_json, .detail = "The body is empty; JSON is expected."}};
    auto value = parse_strict_json(body);
    if (value) return std::move(*value);
    const JsonFault& fault = value.error();
    if (!fault.malformed.empty()) {
        return std::unexpected{
            Problem{.code = Code::malformed_json,
                    .detail = fmt::format("{}, at octet {} of the body", fault.malformed, fault.octet)}};
    }
    Issues issues;
    for (const std::string& field : fault.duplicates) issues.add(field, "duplicate_field", "is given more than once");
    return std::unexpected{std::move(issues).problem()};
}

std::expected<const json::object*, Problem> object_of(const json::value& document)
{
    if (const json::object* object = document.if_object()) return object;
    return std::unexpected{invalid("body", "wrong_type", not_a("an object", document))};
}

} // namespace penguin::control::http
