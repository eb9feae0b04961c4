#include "bench/report/figures_file.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "bench/harness/patience.h"

namespace penguin::bench::report {

namespace {

constexpr double kMost = 1e15;
constexpr std::array kVerbs{"drain", "submit", "flow", "plan",     "micro",  "compare",
                            "scale", "soak",   "rtt",  "fairness", "sustain"};

} // namespace

Field::Field(const json::value& value, const std::string& file, std::string path)
    : value_{&value},
      file_{&file},
      path_{std::move(path)}
{
}

void Field::refuse(std::string_view rule) const
{
    throw BenchError{fmt::format("{}: {} {}", *file_, path_.empty() ? "the file" : path_, rule)};
}

std::optional<Field> Field::find(std::string_view name) const
{
    if (!value_->is_object()) refuse("must be an object");
    const json::value* found = value_->get_object().if_contains(name);
    if (!found || found->is_null()) return std::nullopt;
    return Field{*found, *file_, path_.empty() ? std::string{name} : fmt::format("{}.{}", path_, name)};
}

Field Field::at(std::string_view name) const
{
    auto found = find(name);
    if (!found) throw BenchError{fmt::format("{}: {}{}{} is missing", *file_, path_, path_.empty() ? "" : ".", name)};
    return *std::move(found);
}

double Field::number() const
{
    const double value = value_->is_number() ? value_->to_number<double>() : -1;
    if (!(value >= 0 && value <= kMost)) refuse("must be a number, 0 to 1e15");
    return value;
}

double Field::signed_number() const
{
    if (!value_->is_number() || !(std::abs(value_->to_number<double>()) <= kMost))
        refuse("must be a number, -1e15 to 1e15");
    return value_->to_number<double>();
}

bool Field::flag() const
{
    if (!value_->is_bool()) refuse("must be true or false");
    return value_->get_bool();
}

std::string Field::text() const
{
    if (!value_->is_string()) refuse("must be a text");
    return std::string{value_->get_string()};
}

std::vector<Field> Field::items() const
{
    if (!value_->is_array()) refuse("must be an array");
    std::vector<Field> all;
    for (const json::value& value : value_->get_array())
        all.emplace_back(value, *file_, fmt::format("{}[{}]", path_, all.size()));
    return all;
}

std::vector<std::pair<std::string, Field>> Field::members() const
{
    if (!value_->is_object()) refuse("must be an object");
    std::vector<std::pair<std::string, Field>> all;
    for (const auto& [name, value] : value_->get_object())
        all.emplace_back(name, Field{value, *file_, fmt::format("{}.{}", path_, std::string_view{name})});
    return all;
}

FiguresFile parse_figures(std::string_view text, const std::string& name)
{
    boost::system::error_code error;
    FiguresFile file{.name = name, .verb = {}, .root = json::parse(text, error)};
    if (error) throw BenchError{fmt::format("{}: no JSON: {}", name, error.message())};
    const Field verb = file.field("verb");
    file.verb = verb.text();
    if (std::ranges::find(kVerbs, file.verb) == kVerbs.end())
        verb.refuse(fmt::format("must be one of {}", fmt::join(kVerbs, ", ")));
    file.field("git").text();
    file.field("options").members();
    file.field("runs").items();
    const Field machine = file.field("machine");
    machine.text("model");
    for (const char* number : {"cores", "memory_mb", "load"}) machine.number(number);
    const Field results = file.results();
    if (!results.value().is_object() && !results.value().is_array()) results.refuse("must be an object or an array");
    return file;
}

std::vector<const FiguresFile*> of_verb(const Files& files, std::string_view verb)
{
    std::vector<const FiguresFile*> found;
    for (const FiguresFile& file : files)
        if (file.verb == verb) found.push_back(&file);
    return found;
}

} // namespace penguin::bench::report
