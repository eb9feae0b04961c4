#include "control/http/problem.h"

#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace penguin::control::http {
namespace {

constexpr const char* kId = "01936f8a-0000-7000-8000-000000000000";

TEST(Problem, IsWhatRfc9457Says)
{
    Problem problem = invalid("recipients[3].email", "bad_address", "no local part");
    problem.headers = {{"Retry-After", "5"}};
    const Response response = to_response(problem, kId);
    EXPECT_EQ(response.status, 422U);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(response.headers, problem.headers);
    EXPECT_EQ(boost::json::parse(response.body), boost::json::parse(R"({
        "type": "about:blank", "title": "Unprocessable Content", "status": 422, "code": "validation_failed",
        "detail": "recipients[3].email: no local part", "instance": "urn:uuid:01936f8a-0000-7000-8000-000000000000",
        "errors": [{"field": "recipients[3].email", "code": "bad_address", "detail": "no local part"}]})"));
}

TEST(Problem, EveryCodeHasANameAndAStatusOfItsOwnTitle)
{
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kCodes; ++i) {
        const auto code = static_cast<Code>(i);
        EXPECT_TRUE(names.insert(name_of(code)).second) << name_of(code);
        EXPECT_GE(status_of(code), 400U);
        const auto body = boost::json::parse(to_response(Problem{.code = code}, kId).body).as_object();
        if (status_of(code) != 500) {
            EXPECT_NE(body.at("title"), "Internal Server Error") << name_of(code);
        }
    }
}

TEST(Problem, ShowsABoundedNumberOfErrors)
{
    Problem problem{.code = Code::validation_failed};
    problem.errors.resize(Problem::kFieldErrorsMax + 10);
    const auto body = boost::json::parse(to_response(problem, kId).body).as_object();
    EXPECT_EQ(body.at("errors").as_array().size(), Problem::kFieldErrorsMax);
}

struct Mapping {
    Errc error;
    Code code;
};
constexpr Mapping kMappings[] = {
    {Errc::bad_value, Code::validation_failed},
    {Errc::bad_address, Code::validation_failed},
    {Errc::too_long, Code::validation_failed},
    {Errc::malformed, Code::validation_failed},
    {Errc::missing, Code::validation_failed},
    {Errc::not_found, Code::not_found},
    {Errc::conflict, Code::conflict},
    {Errc::stale, Code::precondition_failed},
    {Errc::timeout, Code::unavailable},
    {Errc::closed, Code::unavailable},
    {Errc::refused, Code::unavailable},
    {Errc::unreachable, Code::unavailable},
    {Errc::tls_failed, Code::unavailable},
    {Errc::unavailable, Code::unavailable},
    {Errc::full, Code::unavailable},
    {Errc::cancelled, Code::unavailable},
    {Errc::denied, Code::internal_error},
    {Errc::local_fault, Code::internal_error},
};

TEST(Problem, OfAnErrorKeepsOurOwnTroubleToItself)
{
    for (const Mapping& row : kMappings) {
        const Problem problem = problem_of(Error{row.error, "password of 10.0.0.1"});
        EXPECT_EQ(problem.code, row.code) << name_of(row.error);
        if (status_of(problem.code) >= 500) {
            EXPECT_EQ(problem.detail.find("password"), std::string::npos) << name_of(row.error);
        }
        EXPECT_EQ(problem.code == Code::unavailable, !problem.headers.empty()) << "Retry-After says when";
    }
}

} // namespace
} // namespace penguin::control::http
