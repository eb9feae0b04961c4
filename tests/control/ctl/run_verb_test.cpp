// A verb from its arguments to what is printed, against a server of ours that answers as the API does.
#include "control/ctl/run_verb.h"

#include <filesystem>
#include <fstream>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/control/http/client.h"
#include "tests/support/run.h"

namespace penguin::control::ctl {
namespace {

using http::Audience;
using http::Method;
using http::Response;

class RunVerbTest : public testing::Test {
protected:
    RunVerbTest()
    {
        add(Method::get, "/v1/pools", [](const http::Request& request) -> awaitable<http::Answer> {
            const bool second = request.query.contains("cursor");
            co_return Response{
                .body = second ? R"({"data":[{"name":"warm","description":"","created_at":"t2"}],"next_cursor":null})"
                               : R"({"data":[{"name":"a","description":"x","created_at":"t1"}],"next_cursor":"c+1"})"};
        });
        add(Method::post, "/v1/pools", [](const http::Request&) -> awaitable<http::Answer> {
            co_return std::unexpected{http::invalid("name", "bad_format", "small letters, digits and -")};
        });
        add(Method::del, "/v1/pools/{pool}",
            [](const http::Request&) -> awaitable<http::Answer> { co_return Response{.status = 204, .body = {}}; });
        add(Method::post, "/v1/batches", [this](const http::Request& request) -> awaitable<http::Answer> {
            key_ = request.header("Idempotency-Key").value_or("");
            if (request.body.contains("away"))
                co_return std::unexpected{http::Problem{.code = http::Code::internal_error, .detail = "d"}};
            co_return Response{.status = 202,
                               .body = R"({"id":"b-1","accepted":1,"refused":0,"refused_recipients":[]})"};
        });
        add(Method::get, "/readyz", [](const http::Request&) -> awaitable<http::Answer> {
            co_return Response{.status = 503,
                               .body = R"({"status":"unavailable","checks":{"redis":"cannot be reached"}})"};
        });
        add(Method::get, "/metrics", [](const http::Request&) -> awaitable<http::Answer> {
            co_return Response{.content_type = "text/plain", .body = "penguin_a 1\n"};
        });
        add(Method::get, "/v1/audit", [](const http::Request&) -> awaitable<http::Answer> {
            co_return Response{.content_type = "text/html", .body = "<html>"};
        });
        running_.start();
    }

    void add(Method method, const char* pattern, http::Handler handler)
    {
        running_.router.add({.method = method,
                             .pattern = pattern,
                             .audience = Audience::anyone,
                             .scope = {},
                             .body = method == Method::post ? http::BodyKind::json : http::BodyKind::none,
                             .body_max = http::kBodyMax,
                             .handler = std::move(handler)});
    }
    int run(std::vector<std::string> words)
    {
        out_.clear();
        err_.clear();
        const auto arguments = parse_arguments(verbs_, std::move(words));
        if (!arguments) throw std::runtime_error{arguments.error().text};
        const Profile profile{.from = "profile test",
                              .url = ApiUrl::parse("http://127.0.0.1:" + std::to_string(running_.port)).value(),
                              .key = {},
                              .ca_file = {}};
        ApiClient client{{.url = profile.url, .key = {}, .authorities = {}}};
        return tests::run(io_, run_verb(*arguments, client, profile,
                                        {.out = [this](const std::string& text) { out_ += text; },
                                         .err = [this](const std::string& text) { err_ += text; }}));
    }
    std::string document(const std::string& text) const
    {
        const std::string path = testing::TempDir() + "penguinctl-document-" + std::to_string(::getpid());
        std::ofstream{path} << text;
        return path;
    }

    std::vector<Verb> verbs_ = all_verbs();
    asio::io_context io_;
    std::string out_, err_, key_;
    http::test::Running running_;
};

TEST_F(RunVerbTest, AListIsATableAndSaysThatThereIsMore)
{
    EXPECT_EQ(run({"pools", "list"}), kDone);
    EXPECT_EQ(out_, "NAME  CREATED  DESCRIPTION\na     t1       x\n");
    EXPECT_EQ(err_, "penguinctl: there is more: --cursor c+1, or --all\n");
}

TEST_F(RunVerbTest, AllPagesAreOneTable)
{
    EXPECT_EQ(run({"pools", "list", "--all"}), kDone);
    EXPECT_EQ(out_, "NAME  CREATED  DESCRIPTION\na     t1       x\nwarm  t2       -\n");
    EXPECT_EQ(err_, "");
}

TEST_F(RunVerbTest, JsonIsTheApisDocumentOrOneObjectALine)
{
    EXPECT_EQ(run({"pools", "list", "--json"}), kDone);
    EXPECT_EQ(out_,
              "{\"data\":[{\"name\":\"a\",\"description\":\"x\",\"created_at\":\"t1\"}],\"next_cursor\":\"c+1\"}\n");
    EXPECT_EQ(err_, "");
    EXPECT_EQ(run({"pools", "list", "--json", "--all"}), kDone);
    EXPECT_EQ(out_, "{\"name\":\"a\",\"description\":\"x\",\"created_at\":\"t1\"}\n{\"name\":\"warm\",\"description\":"
                    "\"\",\"created_at\":\"t2\"}\n");
}

TEST_F(RunVerbTest, ARefusalHasStatusOneAndItsProblemAsJsonWhenAskedFor)
{
    EXPECT_EQ(run({"pools", "create", "--name", "A"}), kRefused);
    EXPECT_EQ(out_, "");
    EXPECT_TRUE(err_.starts_with("penguinctl: 422 Unprocessable Content (validation_failed)\n  name: small letters, "
                                 "digits and - (bad_format)\n"))
        << err_;
    EXPECT_EQ(run({"pools", "create", "--name", "A", "--json"}), kRefused);
    EXPECT_EQ(boost::json::parse(out_).at("code").as_string(), "validation_failed");
}

TEST_F(RunVerbTest, AnEmptyAnswerIsAWordForPeopleAndNothingForPrograms)
{
    EXPECT_EQ(run({"pools", "delete", "a"}), kDone);
    EXPECT_EQ(out_, "deleted\n");
    EXPECT_EQ(run({"pools", "delete", "a", "--json"}), kDone);
    EXPECT_EQ(out_, "");
}

TEST_F(RunVerbTest, ABatchHasAKeyOfItsOwnUnlessOneIsGiven)
{
    const std::string file = document("{}");
    EXPECT_EQ(run({"batches", "submit", file}), kDone);
    EXPECT_EQ(out_, "id        b-1\naccepted  1\nrefused   0\n");
    EXPECT_TRUE(Uuid::parse(key_)) << key_;
    const std::string first = key_;
    EXPECT_EQ(run({"batches", "submit", file}), kDone);
    EXPECT_NE(key_, first) << "another call is another batch";
    EXPECT_EQ(run({"batches", "submit", file, "--idempotency-key", "spring-1"}), kDone);
    EXPECT_EQ(key_, "spring-1");
    std::filesystem::remove(file);
}

TEST_F(RunVerbTest, WhoseFateIsUncertainIsToldItsKey)
{
    const std::string file = document(R"({"away":1})");
    EXPECT_EQ(run({"batches", "submit", file}), kRefused);
    EXPECT_TRUE(err_.contains("repeat it with --idempotency-key " + key_ + "\n")) << err_;
    std::filesystem::remove(file);
}

TEST_F(RunVerbTest, AFileThatCannotBeReadAsksNothing)
{
    EXPECT_EQ(run({"batches", "submit", "/nonexistent.json"}), kUsage);
    EXPECT_EQ(err_, "penguinctl: /nonexistent.json: cannot be opened for reading\n");
    const std::string empty = document("");
    EXPECT_EQ(run({"batches", "submit", empty}), kUsage);
    EXPECT_EQ(run({"batches", "submit", "/"}), kUsage) << "a folder";
    std::filesystem::remove(empty);
    EXPECT_EQ(key_, "");
}

TEST_F(RunVerbTest, ANodeThatIsNotWellIsShownAndHasStatusOne)
{
    EXPECT_EQ(run({"health", "ready"}), kRefused);
    EXPECT_EQ(out_, "status  unavailable\n\nCHECK  STATE\nredis  cannot be reached\n");
    EXPECT_EQ(err_, "");
}

TEST_F(RunVerbTest, MetricsAreText)
{
    EXPECT_EQ(run({"health", "metrics"}), kDone);
    EXPECT_EQ(out_, "penguin_a 1\n");
}

TEST_F(RunVerbTest, WhatIsNoApiIsTold)
{
    EXPECT_EQ(run({"audit", "list"}), kUnreachable);
    EXPECT_TRUE(err_.contains("what answers there is no API of penguin-mta")) << err_;
}

TEST_F(RunVerbTest, NobodyThereHasStatusThree)
{
    running_.on_thread([this] { running_.server.reset(); });
    EXPECT_EQ(run({"pools", "list"}), kUnreachable);
    EXPECT_TRUE(err_.contains("nobody listens there")) << err_;
}

TEST_F(RunVerbTest, ANumberThatIsNoneHasStatusTwo)
{
    EXPECT_EQ(run({"pools", "list", "--limit", "many"}), kUsage);
    EXPECT_EQ(err_, "penguinctl: --limit: 'many' is not a number\n");
}

} // namespace
} // namespace penguin::control::ctl
