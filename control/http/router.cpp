#include "control/http/router.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace penguin::control::http {

namespace {

bool is_parameter(std::string_view segment)
{
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// Calls `visit` with each segment of "/a/b"; false when a visit says so.
template <class Visit>
bool each_segment(std::string_view pattern, Visit visit)
{
    pattern.remove_prefix(1);
    while (true) {
        const std::size_t end = std::min(pattern.find('/'), pattern.size());
        if (!visit(pattern.substr(0, end))) return false;
        if (end == pattern.size()) return true;
        pattern.remove_prefix(end + 1);
    }
}

std::optional<Params> matched(std::string_view pattern, const std::vector<std::string>& segments)
{
    Params params;
    std::size_t at = 0;
    const bool fits = each_segment(pattern, [&](std::string_view wanted) {
        if (at == segments.size()) return false;
        const std::string& given = segments[at++];
        if (!is_parameter(wanted)) return wanted == given;
        params.emplace(wanted.substr(1, wanted.size() - 2), given);
        return !given.empty();
    });
    if (!fits || at != segments.size()) return std::nullopt;
    return params;
}

void require(bool holds, const Route& route, const char* rule)
{
    if (!holds) throw std::invalid_argument(route.pattern + ": " + rule);
}

} // namespace

std::string_view name_of(Audience audience)
{
    switch (audience) {
    case Audience::tenant: return "tenant";
    case Audience::platform: return "platform";
    case Audience::anyone: return "public";
    }
    return "unknown";
}

void Router::add(Route route)
{
    require(route.pattern.starts_with('/'), route, "a pattern starts with /");
    require(static_cast<bool>(route.handler), route, "a route has a handler");
    require(route.scope.empty() == (route.audience == Audience::anyone), route, "a scope, unless it is for anyone");
    const bool known = std::ranges::any_of(
        routes_, [&](const Route& other) { return other.method == route.method && other.pattern == route.pattern; });
    require(!known, route, "is there already");
    routes_.push_back(std::move(route));
}

Router::Match Router::match(Method method, const std::vector<std::string>& segments) const
{
    const Method wanted = method == Method::head ? Method::get : method;
    Match match;
    for (const Route& route : routes_) {
        auto params = matched(route.pattern, segments);
        if (!params) continue;
        if (route.method == wanted) {
            match.route = &route;
            match.params = std::move(*params);
        }
        match.allowed.push_back(name_of(route.method));
        if (route.method == Method::get) match.allowed.push_back(name_of(Method::head));
    }
    if (!match.allowed.empty() && std::ranges::find(match.allowed, name_of(Method::options)) == match.allowed.end())
        match.allowed.push_back(name_of(Method::options));
    return match;
}

} // namespace penguin::control::http
