#include "control/http/router.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace penguin::control::http {
namespace {

awaitable<Answer> nothing(const Request&) { co_return Response{}; }

Route route(Method method, const char* pattern)
{
    return Route{.method = method, .pattern = pattern, .scope = "things:read", .handler = nothing};
}

Router things()
{
    Router router;
    router.add(route(Method::get, "/v1/things"));
    router.add(route(Method::post, "/v1/things"));
    router.add(route(Method::get, "/v1/things/{thing}"));
    router.add(route(Method::del, "/v1/things/{thing}"));
    router.add(route(Method::post, "/v1/things/{thing}/parts/{part}"));
    return router;
}

Router::Match match(const Router& router, Method method, const char* path)
{
    return router.match(method, Target::parse(path)->segments);
}

TEST(Router, FindsTheRouteAndItsParameters)
{
    const Router router = things();
    const auto found = match(router, Method::post, "/v1/things/a%2Fb/parts/7");
    ASSERT_NE(found.route, nullptr);
    EXPECT_EQ(found.route->pattern, "/v1/things/{thing}/parts/{part}");
    EXPECT_EQ(found.params, (Params{{"part", "7"}, {"thing", "a/b"}}));
}

TEST(Router, KnowsNoOtherPaths)
{
    const Router router = things();
    for (const char* path :
         {"/", "/v1", "/v1/", "/v1/things/", "/v1/thing", "/V1/things", "/v1/things/a/", "/v1//things",
          "/v1/things/a/parts", "/v1/things/a/parts/", "/v1/things/a/parts/b/c", "/v1/things/../things"}) {
        const auto found = match(router, Method::get, path);
        EXPECT_EQ(found.route, nullptr) << path;
        EXPECT_TRUE(found.allowed.empty()) << path;
    }
}

TEST(Router, SaysWhatAPathTakesInstead)
{
    const Router router = things();
    const auto found = match(router, Method::patch, "/v1/things/a");
    EXPECT_EQ(found.route, nullptr);
    EXPECT_EQ(found.allowed, (std::vector<std::string_view>{"GET", "HEAD", "DELETE", "OPTIONS"}));
}

TEST(Router, AnswersHeadWithTheRouteOfGet)
{
    const Router router = things();
    ASSERT_NE(match(router, Method::head, "/v1/things").route, nullptr);
    EXPECT_EQ(match(router, Method::head, "/v1/things/a/parts/7").route, nullptr);
}

TEST(Router, RefusesRoutesThatAreMistakes)
{
    Router router = things();
    EXPECT_THROW(router.add(route(Method::get, "/v1/things")), std::invalid_argument);
    EXPECT_THROW(router.add(route(Method::get, "v1")), std::invalid_argument);
    Route open = route(Method::get, "/open");
    open.audience = Audience::anyone;
    EXPECT_THROW(router.add(open), std::invalid_argument) << "a public route has no scope";
    Route closed = route(Method::get, "/closed");
    closed.scope.clear();
    EXPECT_THROW(router.add(closed), std::invalid_argument) << "the others have one";
    Route idle = route(Method::get, "/idle");
    idle.handler = nullptr;
    EXPECT_THROW(router.add(idle), std::invalid_argument);
}

} // namespace
} // namespace penguin::control::http
