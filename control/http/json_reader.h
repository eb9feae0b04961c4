// control/http/json_reader.h
// Reads typed fields out of a JSON object and remembers everything that is wrong, so that a client sees all at once.
//
//   use     Issues issues;
//           ObjectReader body{*object, issues};
//           const auto name = body.text("name", {.max = 200});
//           body.finish();                                  // fields that nobody asked for
//           if (!issues.empty()) co_return std::unexpected{issues.problem()};
//   out     a field that is wrong gives an empty value and an issue; values are read only after issues.empty()
//   codes   required, wrong_type, unknown_field, bad_format, bad_address, bad_value, out_of_range, too_long, too_many, too_few,
//           duplicate_field
//   limits  Problem::kFieldErrorsMax issues are kept; text never holds NUL (PostgreSQL's text cannot)
//   views   into the JSON value: keep it alive
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "control/http/problem.h"
#include "engine/base/clock.h"
#include "engine/base/uuid.h"
#include "engine/mail/domain_name.h"
#include "engine/mail/email_address.h"

namespace penguin::control::http {

class Issues {
public:
    void add(std::string field, std::string_view code, std::string detail);
    bool empty() const noexcept { return errors_.empty(); }
    Problem problem() &&;

private:
    std::vector<FieldError> errors_;
};

// Where a value stands; its text is made only when something is wrong there.
struct Path {
    const Path* parent = nullptr;
    std::string_view name;
    std::optional<std::size_t> index;
    std::string text() const;
};

struct TextRule {
    std::size_t min = 0;      // octets
    std::size_t max = 65'536; // octets
};

enum class Nulls : std::uint8_t { refused, absent }; // absent: null is as good as no field

class ObjectReader {
public:
    ObjectReader(const boost::json::object& object, Issues& issues, Path path = {}, Nulls nulls = Nulls::refused);

    std::string_view text(std::string_view name, TextRule rule = {});
    std::optional<std::string_view> optional_text(std::string_view name, TextRule rule = {});
    bool boolean(std::string_view name, bool otherwise);
    std::optional<bool> optional_boolean(std::string_view name);
    std::optional<double> number(std::string_view name, double min, double max);
    std::optional<EmailAddress> address(std::string_view name);
    std::optional<DomainName> domain(std::string_view name);
    std::optional<Uuid> optional_uuid(std::string_view name);
    std::optional<WallTime> optional_time(std::string_view name);
    // One of `words`, by its place; nothing when the field is not there.
    std::optional<std::size_t> word(std::string_view name, const std::vector<std::string_view>& words);

    const boost::json::object* object(std::string_view name);
    const boost::json::object* optional_object(std::string_view name);
    const boost::json::array* array(std::string_view name, std::size_t min, std::size_t max);
    const boost::json::array* optional_array(std::string_view name, std::size_t max);
    // The value as it stands, for fields with several types. Required.
    const boost::json::value* any(std::string_view name);
    bool has(std::string_view name) const;

    void finish();

    Path path_of(std::string_view name) const { return Path{&path_, name, {}}; }
    void issue(std::string_view name, std::string_view code, std::string detail);
    Issues& issues() noexcept { return issues_; }
    Nulls nulls() const noexcept { return nulls_; }

private:
    const boost::json::value* find(std::string_view name);
    const boost::json::value* need(std::string_view name);
    std::optional<std::string_view> text_of(const boost::json::value* value, std::string_view name, TextRule rule);
    const boost::json::object* object_of(const boost::json::value* value, std::string_view name);
    const boost::json::array* array_of(const boost::json::value* value, std::string_view name, std::size_t min,
                                       std::size_t max);

    const boost::json::object& object_;
    Issues& issues_;
    Path path_;
    Nulls nulls_;
    std::vector<std::string_view> asked_;
};

// The bytes of a body as JSON. Problems: malformed_json (empty, not JSON, over JsonLimits; says where), validation_failed
// (duplicate_field, each by its path).
std::expected<boost::json::value, Problem> parse_json(std::string_view body);
// A body that must be one object.
std::expected<const boost::json::object*, Problem> object_of(const boost::json::value& document);

} // namespace penguin::control::http
