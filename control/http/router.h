// control/http/router.h
// The table of routes, as data: the server walks it for a request, tests walk it whole.
//
//   pattern   "/v1/batches/{batch}": a segment in braces matches one non-empty segment and becomes a parameter
//   audience  tenant: the credential must name a tenant; platform: it must not; anyone: no credential
//   scope     the one scope that the credential must hold; empty for `anyone`
//   out       a Match; HEAD finds the GET route, OPTIONS without a route of its own is answered from `allowed`
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/http/message.h"
#include "control/http/problem.h"
#include "engine/base/asio.h"

namespace penguin::control::http {

enum class Audience : std::uint8_t { tenant, platform, anyone };
std::string_view name_of(Audience audience);

// What the request's body is: none (up to kIgnoredBodyMax octets are read and ignored) or JSON (415 otherwise).
enum class BodyKind : std::uint8_t { none, json };
inline constexpr std::size_t kIgnoredBodyMax = 1024;           // octets
inline constexpr std::size_t kBodyMax = 1024 * 1024;           // octets, unless the route says more
inline constexpr std::size_t kBatchBodyMax = 32 * 1024 * 1024; // octets

using Answer = std::expected<Response, Problem>;
// The request lives until the answer.
using Handler = std::function<awaitable<Answer>(const Request&)>;

struct Route {
    Method method = Method::get;
    std::string pattern;
    Audience audience = Audience::tenant;
    std::string scope;
    BodyKind body = BodyKind::none;
    std::size_t body_max = kIgnoredBodyMax;
    Handler handler;
};

class Router {
public:
    // Throws std::invalid_argument for a pattern that could not match, or that is there already: a mistake in the program.
    void add(Route route);
    const std::vector<Route>& routes() const noexcept { return routes_; }

    struct Match {
        const Route* route = nullptr; // nothing: see `allowed`
        Params params;
        std::vector<std::string_view> allowed; // methods of the path; empty: there is no such path
    };
    Match match(Method method, const std::vector<std::string>& segments) const;

private:
    std::vector<Route> routes_;
};

} // namespace penguin::control::http
