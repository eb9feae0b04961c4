#include "control/config/config_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace penguin::control {

namespace {

using std::chrono::milliseconds;

std::string_view kind_of(const toml::node& node)
{
    switch (node.type()) {
    case toml::node_type::none: return "nothing";
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "text";
    case toml::node_type::integer: return "a number";
    case toml::node_type::floating_point: return "a fraction";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return "a date or time";
    }
    return "something else";
}

std::string wrong_kind(std::string_view wanted, const toml::node& node)
{
    return fmt::format("must be {}, is {}", wanted, kind_of(node));
}

} // namespace

std::expected<toml::table, ConfigProblems> parse_toml(std::string_view text, std::string_view file)
{
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& wrong) {
        // After a syntax error the rest has no certain meaning: this one problem is all that can be said.
        return std::unexpected{
            ConfigProblems{{std::string{file}, wrong.source().begin.line, "", std::string{wrong.description()}}}};
    }
}

std::string text_of(const ConfigProblem& problem)
{
    std::string where = problem.file;
    if (problem.line != 0) where += fmt::format(":{}", problem.line);
    if (!problem.key.empty()) where += fmt::format(": {}", problem.key);
    return fmt::format("{}: {}", where, problem.text);
}

void ConfigReport::add(std::string_view key, std::string text)
{
    std::size_t line = 0;
    for (std::string_view part = key; line == 0 && !part.empty();) {
        if (const auto found = lines_.find(part); found != lines_.end()) line = found->second;
        const std::size_t dot = part.rfind('.');
        part = dot == std::string_view::npos ? std::string_view{} : part.substr(0, dot);
    }
    const auto place = std::ranges::upper_bound(problems_, line, {}, &ConfigProblem::line);
    problems_.insert(place, {file_, line, std::string{key}, std::move(text)});
}

ConfigSection::ConfigSection(const toml::table* table, std::string path, ConfigReport& report)
    : table_{table},
      path_{std::move(path)},
      report_{&report}
{
    if (!table_) return;
    for (const auto& [key, node] : *table_) report_->at(full(key.str()), key.source().begin.line);
}

std::string ConfigSection::full(std::string_view name) const
{
    return path_.empty() ? std::string{name} : fmt::format("{}.{}", path_, name);
}

const toml::node* ConfigSection::find(std::string_view name)
{
    asked_.emplace(name);
    return table_ ? table_->get(name) : nullptr;
}

ConfigSection ConfigSection::section(std::string_view name)
{
    const toml::node* const node = find(name);
    if (node && !node->is_table()) report_->add(full(name), wrong_kind("a table", *node));
    return ConfigSection{node ? node->as_table() : nullptr, full(name), *report_};
}

std::vector<std::string> ConfigSection::keys() const
{
    std::vector<std::string> names;
    if (!table_) return names;
    for (const auto& [key, node] : *table_) names.emplace_back(key.str());
    return names;
}

void ConfigSection::end()
{
    if (!table_) return;
    for (const auto& [key, node] : *table_) {
        if (asked_.contains(key.str())) continue;
        report_->add(full(key.str()), fmt::format("unknown key; known here: {}", fmt::join(asked_, ", ")));
    }
}

void ConfigSection::read_text(std::string_view name, std::string& out, const Rule<std::string>& rule, bool show)
{
    report_->known(full(name));
    const toml::node* const node = find(name);
    if (!node) return;
    const auto* const value = node->as_string();
    if (!value) return report_->add(full(name), wrong_kind("text", *node));
    if (value->get().find_first_of(std::string_view{"\0\r\n", 3}) != std::string::npos)
        return report_->add(full(name), "must be one line");
    if (const std::string wrong = rule ? rule(value->get()) : ""; !wrong.empty())
        return report_->add(full(name), show ? fmt::format("{} (it is \"{}\")", wrong, value->get()) : wrong);
    out = value->get();
}

void ConfigSection::text(std::string_view name, std::string& out, const Rule<std::string>& rule)
{
    read_text(name, out, rule, true);
}

void ConfigSection::secret(std::string_view name, std::string& out, const Rule<std::string>& rule)
{
    read_text(name, out, rule, false);
}

void ConfigSection::flag(std::string_view name, bool& out)
{
    report_->known(full(name));
    const toml::node* const node = find(name);
    if (!node) return;
    if (const auto* const value = node->as_boolean())
        out = value->get();
    else
        report_->add(full(name), wrong_kind("true or false", *node));
}

void ConfigSection::whole(std::string_view name, std::size_t& out, std::int64_t min, std::int64_t max)
{
    report_->known(full(name));
    const toml::node* const node = find(name);
    if (!node) return;
    const auto* const value = node->as_integer();
    if (!value) return report_->add(full(name), wrong_kind("a number", *node));
    if (value->get() < min || value->get() > max)
        return report_->add(full(name), fmt::format("must be {} to {} (it is {})", min, max, value->get()));
    out = static_cast<std::size_t>(value->get());
}

void ConfigSection::port(std::string_view name, std::uint16_t& out)
{
    std::size_t value = out;
    whole(name, value, 1, 65'535);
    out = static_cast<std::uint16_t>(value);
}

void ConfigSection::size(std::string_view name, std::uint64_t& out, std::uint64_t min, std::uint64_t max)
{
    std::string text;
    const Rule<std::string> rule = [&](const std::string& given) -> std::string {
        const Result<std::uint64_t> value = parse_size(given);
        if (!value) return value.error().detail;
        if (*value < min || *value > max) return fmt::format("must be {} to {}", size_text(min), size_text(max));
        out = *value;
        return "";
    };
    read_text(name, text, rule, true);
}

void ConfigSection::read_duration(std::string_view name, milliseconds min, milliseconds max,
                                  const std::function<void(milliseconds)>& set, milliseconds step)
{
    std::string text;
    const Rule<std::string> rule = [&](const std::string& given) -> std::string {
        const Result<milliseconds> value = parse_duration(given);
        if (!value) return value.error().detail;
        if (*value < min || *value > max)
            return fmt::format("must be {} to {}", duration_text(min), duration_text(max));
        if (*value % step != milliseconds{0}) return fmt::format("must be whole times {}", duration_text(step));
        set(*value);
        return "";
    };
    read_text(name, text, rule, true);
}

void ConfigSection::texts(std::string_view name, std::vector<std::string>& out, std::size_t max,
                          const Rule<std::string>& rule)
{
    report_->known(full(name));
    const toml::node* const node = find(name);
    if (!node) return;
    const toml::array* const array = node->as_array();
    if (!array) return report_->add(full(name), wrong_kind("an array of texts", *node));
    if (array->size() > max) return report_->add(full(name), fmt::format("has more than {} items", max));
    std::vector<std::string> values;
    for (const toml::node& item : *array) {
        const auto* const value = item.as_string();
        if (!value) return report_->add(full(name), wrong_kind("an array of texts, an item", item));
        if (const std::string wrong = rule ? rule(value->get()) : ""; !wrong.empty())
            report_->add(full(name), fmt::format("{} (item \"{}\")", wrong, value->get()));
        values.push_back(value->get());
    }
    out = std::move(values);
}

void ConfigSection::durations(std::string_view name, std::vector<std::chrono::seconds>& out, std::size_t max_count,
                              milliseconds min, milliseconds max)
{
    std::vector<std::chrono::seconds> values;
    std::vector<std::string> given;
    const Rule<std::string> rule = [&](const std::string& item) -> std::string {
        const Result<milliseconds> value = parse_duration(item);
        if (!value) return value.error().detail;
        if (*value < min || *value > max)
            return fmt::format("must be {} to {}", duration_text(min), duration_text(max));
        values.push_back(std::chrono::duration_cast<std::chrono::seconds>(*value));
        return "";
    };
    texts(name, given, max_count, rule);
    if (!given.empty() && values.size() == given.size()) out = std::move(values);
    const toml::node* const node = find(name);
    if (node && node->is_array() && node->as_array()->empty()) report_->add(full(name), "must have at least one item");
}

void ConfigSection::map(std::string_view name, std::map<std::string, std::string, std::less<>>& out,
                        const Rule<std::string>& rule)
{
    report_->known(full(name));
    const toml::node* const node = find(name);
    if (!node) return;
    const toml::table* const table = node->as_table();
    if (!table) return report_->add(full(name), wrong_kind("a table", *node));
    for (const auto& [key, item] : *table) {
        const std::string item_key = fmt::format("{}.{}", full(name), key.str());
        report_->at(item_key, key.source().begin.line);
        const auto* const value = item.as_string();
        if (!value)
            report_->add(item_key, wrong_kind("text", item));
        else if (const std::string wrong = rule(value->get()); !wrong.empty())
            report_->add(item_key, fmt::format("{} (it is \"{}\")", wrong, value->get()));
        else
            out.insert_or_assign(std::string{key.str()}, value->get());
    }
}

} // namespace penguin::control
