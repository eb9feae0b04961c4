#include "control/ctl/view.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace penguin::control::ctl {

namespace {

namespace json = boost::json;

constexpr std::string_view kNothing = "-";

Cell plain(const json::value& value)
{
    switch (value.kind()) {
    case json::kind::null: return {};
    case json::kind::bool_: return {value.get_bool() ? "yes" : "no"};
    case json::kind::int64: return {fmt::format("{}", value.get_int64()), true};
    case json::kind::uint64: return {fmt::format("{}", value.get_uint64()), true};
    case json::kind::double_: return {fmt::format("{}", value.get_double()), true};
    case json::kind::string: return {shown_text(value.get_string())};
    case json::kind::array:
    case json::kind::object: break;
    }
    return {shown_text(json::serialize(value))};
}

Cell joined(const json::array& values, std::string_view path)
{
    Cell all;
    for (const json::value& value : values) {
        const Cell one = cell_of(value, path);
        all.text += all.text.empty() ? one.text : ", " + one.text;
    }
    return all;
}

const json::value* member_of(const json::value& from, std::string_view name)
{
    const json::object* const object = from.if_object();
    return object == nullptr ? nullptr : object->if_contains(json::string_view{name.data(), name.size()});
}

std::vector<std::string> titles_of(const View& view)
{
    std::vector<std::string> titles;
    titles.reserve(view.columns.size());
    for (const Column& column : view.columns) titles.emplace_back(column.title);
    return titles;
}

} // namespace

Cell cell_of(const json::value& from, std::string_view path)
{
    Cell cell;
    if (const json::array* const array = from.if_array()) {
        cell = joined(*array, path);
    } else if (path.empty()) {
        cell = plain(from);
    } else {
        const std::size_t dot = std::min(path.find('.'), path.size());
        const json::value* const member = member_of(from, path.substr(0, dot));
        if (member != nullptr) cell = cell_of(*member, path.substr(std::min(dot + 1, path.size())));
    }
    if (cell.text.empty()) cell.text = kNothing;
    return cell;
}

Viewer::Viewer(View view) : view_{std::move(view)}, table_{titles_of(view_)} {}

std::string Viewer::fields_of(const json::value& answer) const
{
    std::size_t width = 0;
    for (const Column& field : view_.fields) width = std::max(width, width_of(field.title));
    std::string out;
    for (const Column& field : view_.fields)
        out += fmt::format("{}  {}\n", padded(field.title, width), cell_of(answer, field.path).text);
    return out;
}

std::vector<Row> Viewer::rows_of(const json::value& answer) const
{
    const json::value* const found = member_of(answer, view_.rows);
    std::vector<Row> rows;
    const auto add = [&](const json::value& item) {
        Row& row = rows.emplace_back();
        for (const Column& column : view_.columns) row.push_back(cell_of(item, column.path));
    };
    if (found != nullptr && found->is_array())
        std::ranges::for_each(found->get_array(), add);
    else if (found != nullptr && found->is_object())
        for (const auto& [key, value] : found->get_object()) add(json::object{{"key", key}, {"value", value}});
    return rows;
}

std::string Viewer::show(const json::value& answer)
{
    std::string out = fields_of(answer);
    if (view_.rows.empty()) return out;
    const std::vector<Row> rows = rows_of(answer);
    if (rows.empty() && !out.empty()) return out;
    if (!out.empty()) out += '\n';
    return out + table_.lines(rows);
}

} // namespace penguin::control::ctl
