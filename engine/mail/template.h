// engine/mail/template.h
// The core of Mustache, compiled once and rendered for each recipient.
//
//   in       {{name}} {{{name}}} {{&name}} {{a.b}} {{.}}, {{#x}}..{{/x}} over a list, an object or a true value,
//            {{^x}}..{{/x}}, {{! comment }}; white space inside a tag is free; a section or comment tag that stands
//            alone on its line takes the line with it
//   out      text, appended. {{name}} is escaped as Escape says, {{{name}}} and {{&name}} are not (but for
//   Escape::name) values   looked up in each object in turn, the first that has the name wins. Inside a section, its
//   item comes first.
//            null, false, "" and [] make a section false, as a name that is nowhere does, in strict mode as well
//   refused  partials, set-delimiters, lambdas, helpers and filters of other dialects: by name, with line and column
//   limits   kDepthMax nested sections, kNodesMax tags; a rendering ends at `room` octets and at kStepsMax steps, so
//            that its time is linear in its output and the output is bounded
//   errors   compile: malformed (what, line, column), too_long. render: missing (strict: detail names the variable),
//            bad_value (strict: a list or object where text is wanted), too_long
//   source   mustache(5); RFC 3986 for Escape::url
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "engine/base/result.h"

namespace penguin {

inline constexpr std::size_t kDepthMax = 16;      // sections inside sections
inline constexpr std::size_t kNodesMax = 20'000;  // tags and texts between them, a template
inline constexpr std::size_t kStepsMax = 200'000; // nodes visited, a rendering

enum class Escape : std::uint8_t {
    none,
    html, // & < > " '
    url,  // one component of a URL: everything but unreserved octets is percent-encoded
    name, // part of a list of mailboxes: what could end a name there becomes a space, with {{{ }}} too
};

// Objects to look names up in, nearest first. Null pointers are not allowed.
using Scopes = std::span<const boost::json::object* const>;

class Template {
public:
    static Result<Template> compile(std::string_view source, Escape escape);

    // Appends to `out`, which may grow to `room` octets in all; on a failure it holds what was made till then.
    Result<> render(Scopes scopes, bool strict, std::size_t room, std::string& out) const;

    bool constant() const noexcept; // renders the same for everybody
    std::size_t cost() const noexcept;

private:
    friend class TemplateCompiler;
    friend class TemplateRenderer;
    enum class Kind : std::uint8_t { text, variable, section, inverted };
    struct Node {
        Kind kind = Kind::text;
        bool raw = false;              // not escaped
        std::string text;              // the text, or the name as written
        std::vector<std::string> path; // a.b.c; empty for {{.}}
        std::size_t end = 0;           // sections: the node after the last of the section
    };
    Escape escape_ = Escape::none;
    std::vector<Node> nodes_;
};

} // namespace penguin
