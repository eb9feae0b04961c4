#include "engine/mail/template.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace penguin {

namespace {

namespace json = boost::json;

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kWhite = " \t\r\n";

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(kWhite);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

bool is_name_octet(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c >= 0x80;
}

bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-._~"}.contains(static_cast<char>(c));
}

void append_html(std::string_view text, std::string& out)
{
    while (true) {
        const std::size_t special = text.find_first_of("&<>\"'");
        out += text.substr(0, special);
        if (special == std::string_view::npos) return;
        switch (text[special]) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        default: out += "&#39;"; break;
        }
        text.remove_prefix(special + 1);
    }
}

void append_url(std::string_view text, std::string& out)
{
    for (const char c : text) {
        if (is_unreserved(static_cast<unsigned char>(c)))
            out += c;
        else
            fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
}

void append_without_specials(std::string_view text, std::string& out)
{
    for (const char c : text) out += std::string_view{"\"\\<>(),;:[]"}.contains(c) ? ' ' : c;
}

bool is_true(const json::value& value)
{
    switch (value.kind()) {
    case json::kind::null: return false;
    case json::kind::bool_: return value.get_bool();
    case json::kind::string: return !value.get_string().empty();
    case json::kind::array: return !value.get_array().empty();
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
    case json::kind::object: return true;
    }
    return false;
}

} // namespace

// One pass over the source: texts and tags become nodes, sections remember where they end.
class TemplateCompiler {
public:
    TemplateCompiler(std::string_view source, Template& out) : source_{source}, out_{out} {}

    Result<> run()
    {
        while (true) {
            const std::size_t open = source_.find("{{", at_);
            text_ += source_.substr(at_, open - at_);
            if (open == std::string_view::npos) break;
            if (Result<> done = tag(open); !done) return done;
            if (out_.nodes_.size() > kNodesMax)
                return fail(Errc::too_long, fmt::format("template: over {} tags", kNodesMax));
        }
        end_text();
        if (open_sections_.empty()) return {};
        return wrong(open_sections_.back().at, "section {{#" + name_of_open() + "}} is not closed");
    }

private:
    struct Open {
        std::size_t node;
        std::size_t at;
    };

    Result<> tag(std::size_t open)
    {
        const bool triple = source_.substr(open).starts_with("{{{");
        const std::string_view closer = triple ? "}}}" : "}}";
        const std::size_t from = open + closer.size();
        const std::size_t close = source_.find(closer, from);
        if (close == std::string_view::npos) return wrong(open, "a tag is not closed");
        const std::string_view inside = trimmed(source_.substr(from, close - from));
        at_ = close + closer.size();
        if (triple) return variable(open, inside, true);
        const char mark = inside.empty() ? '\0' : inside.front();
        const std::string_view name = trimmed(inside.substr(std::min<std::size_t>(1, inside.size())));
        switch (mark) {
        case '!': stand_alone(open); return {};
        case '#': stand_alone(open); return section(open, name, Template::Kind::section);
        case '^': stand_alone(open); return section(open, name, Template::Kind::inverted);
        case '/': stand_alone(open); return end_section(open, name);
        case '&': return variable(open, name, true);
        case '>': return wrong(open, "partials ({{> }}) are not supported");
        case '=': return wrong(open, "set-delimiters ({{= =}}) are not supported");
        case '<':
        case '$': return wrong(open, "inheritance ({{< }}, {{$ }}) is not supported");
        default: return variable(open, inside, false);
        }
    }

    Result<> variable(std::size_t open, std::string_view name, bool raw)
    {
        Result<std::vector<std::string>> path = path_of(open, name);
        if (!path) return std::unexpected{path.error()};
        end_text();
        out_.nodes_.push_back({Template::Kind::variable, raw, std::string{name}, std::move(*path), 0});
        return {};
    }

    Result<> section(std::size_t open, std::string_view name, Template::Kind kind)
    {
        Result<std::vector<std::string>> path = path_of(open, name);
        if (!path) return std::unexpected{path.error()};
        if (open_sections_.size() == kDepthMax)
            return fail(Errc::too_long, fmt::format("template: sections nest over {} deep", kDepthMax));
        end_text();
        open_sections_.push_back({out_.nodes_.size(), open});
        out_.nodes_.push_back({kind, false, std::string{name}, std::move(*path), 0});
        return {};
    }

    Result<> end_section(std::size_t open, std::string_view name)
    {
        if (open_sections_.empty()) return wrong(open, fmt::format("{{{{/{}}}}} closes no section", name));
        if (name != name_of_open())
            return wrong(open, fmt::format("{{{{/{}}}}} where {{{{/{}}}}} is due", name, name_of_open()));
        end_text();
        out_.nodes_[open_sections_.back().node].end = out_.nodes_.size();
        open_sections_.pop_back();
        return {};
    }

    Result<std::vector<std::string>> path_of(std::size_t open, std::string_view name) const
    {
        std::vector<std::string> path;
        if (name == ".") return path;
        if (name.empty()) return wrong(open, "a tag without a name");
        if (!std::ranges::all_of(name, [](char c) { return is_name_octet(static_cast<unsigned char>(c)); }))
            return wrong(
                open, fmt::format("\"{}\" is not a variable's name; helpers, filters and expressions are not supported",
                                  name.substr(0, 64)));
        while (true) {
            const std::size_t dot = name.find('.');
            if (dot == 0 || name.empty()) return wrong(open, "an empty part in a dotted name");
            path.emplace_back(name.substr(0, dot));
            if (dot == std::string_view::npos) return path;
            name.remove_prefix(dot + 1);
        }
    }

    // A section or comment tag alone on its line: the line goes with it (mustache(5)).
    void stand_alone(std::size_t open)
    {
        const std::size_t line = open == 0 ? 0 : source_.rfind('\n', open - 1) + 1; // npos + 1 is the start
        if (source_.substr(line, open - line).find_first_not_of(kBlank) != std::string_view::npos) return;
        std::size_t rest = source_.find_first_not_of(kBlank, at_);
        if (rest == std::string_view::npos) rest = source_.size();
        if (source_.substr(rest).starts_with("\r\n")) ++rest;
        if (rest < source_.size() && source_[rest] != '\n') return;
        text_.resize(text_.size() - (open - line));
        at_ = std::min(rest + 1, source_.size());
    }

    void end_text()
    {
        if (text_.empty()) return;
        out_.nodes_.push_back({Template::Kind::text, false, std::move(text_), {}, 0});
        text_.clear();
    }

    const std::string& name_of_open() const { return out_.nodes_[open_sections_.back().node].text; }

    std::unexpected<Error> wrong(std::size_t at, std::string_view what) const
    {
        const std::string_view before = source_.substr(0, at);
        const auto line = std::ranges::count(before, '\n') + 1;
        const std::size_t column = at - (before.rfind('\n') + 1) + 1;
        return fail(Errc::malformed, fmt::format("template: line {}, column {}: {}", line, column, what));
    }

    std::string_view source_;
    Template& out_;
    std::size_t at_ = 0;
    std::string text_;
    std::vector<Open> open_sections_;
};

class TemplateRenderer {
public:
    TemplateRenderer(const Template& source, Scopes scopes, bool strict, std::size_t room, std::string& out)
        : source_{source},
          scopes_{scopes},
          strict_{strict},
          room_{room},
          out_{out}
    {
    }

    Result<> run(std::size_t begin, std::size_t end)
    {
        for (std::size_t i = begin; i < end;) {
            const Template::Node& node = source_.nodes_[i];
            if (++steps_ > kStepsMax) return fail(Errc::too_long, fmt::format("template: over {} steps", kStepsMax));
            Result<> done;
            switch (node.kind) {
            case Template::Kind::text: out_ += node.text; break;
            case Template::Kind::variable: done = variable(node); break;
            case Template::Kind::section: done = section(node, i); break;
            case Template::Kind::inverted: {
                const json::value* value = find(node);
                if (value == nullptr || !is_true(*value)) done = run(i + 1, node.end);
                break;
            }
            }
            if (!done) return done;
            if (out_.size() > room_) return over_room();
            i = node.end == 0 ? i + 1 : node.end;
        }
        return {};
    }

private:
    Result<> variable(const Template::Node& node)
    {
        const json::value* value = find(node);
        if (value == nullptr || value->is_null()) {
            if (strict_) return fail(Errc::missing, fmt::format("variable \"{}\" has no value", node.text));
            return {};
        }
        std::array<char, 32> digits{};
        char* end = digits.data();
        switch (value->kind()) {
        case json::kind::string: return append(node, value->get_string());
        case json::kind::bool_: return append(node, value->get_bool() ? "true" : "false");
        case json::kind::int64: end = std::to_chars(end, end + digits.size(), value->get_int64()).ptr; break;
        case json::kind::uint64: end = std::to_chars(end, end + digits.size(), value->get_uint64()).ptr; break;
        case json::kind::double_: end = std::to_chars(end, end + digits.size(), value->get_double()).ptr; break;
        case json::kind::null: return {};
        case json::kind::array:
        case json::kind::object:
            if (strict_)
                return fail(Errc::bad_value,
                            fmt::format("variable \"{}\" is a list or an object, not text", node.text));
            return {};
        }
        return append(node, {digits.data(), static_cast<std::size_t>(end - digits.data())});
    }

    // Looked at before as well: a value may be as long as a content.
    Result<> append(const Template::Node& node, std::string_view text)
    {
        if (out_.size() > room_ || text.size() > room_ - out_.size()) return over_room();
        switch (node.raw && source_.escape_ != Escape::name ? Escape::none : source_.escape_) {
        case Escape::none: out_ += text; return {};
        case Escape::html: append_html(text, out_); return {};
        case Escape::url: append_url(text, out_); return {};
        case Escape::name: append_without_specials(text, out_); return {};
        }
        return {};
    }

    std::unexpected<Error> over_room() const
    {
        return fail(Errc::too_long, fmt::format("template: over {} octets of output", room_));
    }

    Result<> section(const Template::Node& node, std::size_t at)
    {
        const json::value* value = find(node);
        if (value == nullptr || !is_true(*value)) return {};
        if (!value->is_array()) return with_item(*value, at + 1, node.end);
        for (const json::value& item : value->get_array())
            if (Result<> done = with_item(item, at + 1, node.end); !done) return done;
        return {};
    }

    Result<> with_item(const json::value& item, std::size_t begin, std::size_t end)
    {
        if (++steps_ > kStepsMax) return fail(Errc::too_long, fmt::format("template: over {} steps", kStepsMax));
        items_[depth_++] = &item; // at most kDepthMax sections are open
        Result<> done = run(begin, end);
        --depth_;
        return done;
    }

    // The first part of a dotted name is looked for everywhere, the others only inside what was found.
    const json::value* find(const Template::Node& node) const
    {
        if (node.path.empty()) return depth_ == 0 ? nullptr : items_[depth_ - 1];
        const json::value* value = first(node.path.front());
        for (std::size_t i = 1; value != nullptr && i < node.path.size(); ++i) {
            const json::object* inside = value->if_object();
            value = inside == nullptr ? nullptr : inside->if_contains(node.path[i]);
        }
        return value;
    }

    const json::value* first(std::string_view name) const
    {
        for (std::size_t i = depth_; i > 0; --i) {
            const json::object* item = items_[i - 1]->if_object();
            const json::value* value = item == nullptr ? nullptr : item->if_contains(name);
            if (value != nullptr) return value;
        }
        for (const json::object* scope : scopes_)
            if (const json::value* value = scope->if_contains(name)) return value;
        return nullptr;
    }

    const Template& source_;
    Scopes scopes_;
    bool strict_;
    std::size_t room_;
    std::string& out_;
    std::array<const json::value*, kDepthMax> items_{}; // of the open sections, innermost last
    std::size_t depth_ = 0;
    std::size_t steps_ = 0;
};

Result<Template> Template::compile(std::string_view source, Escape escape)
{
    Template out;
    out.escape_ = escape;
    if (Result<> done = TemplateCompiler{source, out}.run(); !done) return std::unexpected{done.error()};
    return out;
}

Result<> Template::render(Scopes scopes, bool strict, std::size_t room, std::string& out) const
{
    return TemplateRenderer{*this, scopes, strict, room, out}.run(0, nodes_.size());
}

bool Template::constant() const noexcept
{
    return std::ranges::all_of(nodes_, [](const Node& node) { return node.kind == Kind::text; });
}

std::size_t Template::cost() const noexcept
{
    std::size_t octets = sizeof *this;
    for (const Node& node : nodes_) octets += sizeof node + node.text.size();
    return octets;
}

} // namespace penguin
