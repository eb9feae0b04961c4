#include "control/ctl/problem_text.h"

#include <gtest/gtest.h>

namespace penguin::control::ctl {
namespace {

http_client::Answer problem(unsigned status, std::string body, http_client::Fields fields = {})
{
    return {.status = status, .fields = std::move(fields), .body = std::move(body)};
}

TEST(RefusedText, NamesEachFieldOnALineOfItsOwn)
{
    EXPECT_EQ(refused_text(problem(422, R"({"type":"about:blank","title":"Unprocessable Content","status":422,
                  "code":"validation_failed","detail":"recipients[3].email: no local part","instance":"urn:uuid:1",
                  "errors":[{"field":"recipients[3].email","code":"bad_address","detail":"no local part"},
                            {"field":"priority","code":"bad_value","detail":"high, normal or low"}]})"),
                           "profile prod"),
              "penguinctl: 422 Unprocessable Content (validation_failed)\n"
              "  recipients[3].email: no local part (bad_address)\n"
              "  priority: high, normal or low (bad_value)\n"
              "request: urn:uuid:1\n");
}

TEST(RefusedText, SaysDetailHintAndWhoseKeyItWas)
{
    EXPECT_EQ(
        refused_text(
            problem(
                401,
                R"({"title":"Unauthorized","status":401,"code":"unauthenticated","detail":"The credential is not valid.",
                                            "instance":"urn:uuid:2"})"),
            "profile prod"),
        "penguinctl: 401 Unauthorized (unauthenticated)\n"
        "  The credential is not valid.\n"
        "hint: profile prod gave a key that this API does not know; `penguin-mta admin-key` prints the platform's own\n"
        "request: urn:uuid:2\n");
}

TEST(RefusedText, WithoutAKeyItSaysWhereOneIsGiven)
{
    const auto answer =
        problem(401, R"({"title":"T","status":401,"code":"unauthenticated","detail":"d","instance":"i"})");
    EXPECT_TRUE(refused_text(answer, "").contains("hint: no key was sent: set PENGUIN_KEY"));
}

TEST(RefusedText, SaysWhenToComeAgain)
{
    const std::string text =
        refused_text(problem(503, R"({"title":"T","status":503,"code":"unavailable","detail":"d","instance":"i"})",
                             {{"Retry-After", "5"}}),
                     "");
    EXPECT_TRUE(text.contains("try again in 5 s\n")) << text;
    EXPECT_TRUE(text.contains("penguinctl health ready")) << text;
}

TEST(RefusedText, ACodeThatIsNewerThanWeHasNoHint)
{
    const std::string text =
        refused_text(problem(409, R"({"title":"T","status":409,"code":"brand_new","detail":"d","instance":"i"})"), "");
    EXPECT_FALSE(text.contains("hint")) << text;
    EXPECT_TRUE(text.contains("(brand_new)\n  d\n")) << text;
}

TEST(RefusedText, WhatIsNoProblemOfOursIsItsStatus)
{
    for (const char* body : {"", "<html>Bad Gateway</html>", "[]", R"({"error":"x"})"})
        EXPECT_EQ(refused_text(problem(502, body), ""), "penguinctl: answered with status 502\n");
}

TEST(RefusedText, NoProblemReachesTheTerminalAsItIs)
{
    const std::string text = refused_text(
        problem(422, R"({"title":"\u001b[2J","status":422,"code":"c","detail":"\u001b]0;x\u0007","instance":"i"})"),
        "");
    EXPECT_FALSE(text.contains('\x1b')) << text;
    EXPECT_FALSE(text.contains('\x07')) << text;
}

TEST(UnreachableText, SaysWhereAndWhatToDo)
{
    EXPECT_EQ(unreachable_text({Errc::refused, "connecting: Connection refused"}, "http://127.0.0.1:8025"),
              "penguinctl: http://127.0.0.1:8025: connecting: Connection refused\n"
              "hint: nobody listens there: is the daemon up, and is it the right address?\n");
    EXPECT_TRUE(unreachable_text({Errc::tls_failed, "x"}, "u").contains("ca_file"));
    EXPECT_TRUE(unreachable_text({Errc::timeout, "x"}, "u").contains("--timeout-s"));
    EXPECT_EQ(unreachable_text({Errc::local_fault, "x"}, "u"), "penguinctl: u: x\n");
}

} // namespace
} // namespace penguin::control::ctl
