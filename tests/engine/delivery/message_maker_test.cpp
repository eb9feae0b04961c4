#include "engine/delivery/message_maker.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/engine/mail/messages.h"
#include "tests/support/run.h"

namespace penguin::delivery {
namespace {

const TenantId kTenant{*Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c073990")};

class OneContent final : public ContentSource {
public:
    awaitable<Result<std::string>> content(TenantId, ContentId) override { co_return json; }
    std::string json;
};

class NoSigner final : public Signer {
public:
    Result<Signature> sign(const SigningRequest&) override { return Signature{}; }
    awaitable<Result<>> audit(TenantId, DomainName, std::string) override { co_return Result<>{}; }
};

class MessageMakerTest : public testing::Test {
protected:
    ~MessageMakerTest() override { workers_.stop(); }

    // With the content at hand.
    JobPtr job_of(const TemplateContent& content, std::string vars)
    {
        source_.json = to_json(content);
        const ContentId id = content_id(source_.json);
        EXPECT_TRUE(tests::run(io_, contents_.get(kTenant, id)));
        queue::Entry entry{.id = *MessageId::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f.7"),
                           .tenant = kTenant,
                           .to = *EmailAddress::parse("ann@to.example"),
                           .content = id.value(),
                           .vars = std::move(vars)};
        return std::make_shared<Job>(nullptr, queue::Claimed{"t1", std::move(entry)});
    }

    asio::io_context io_;
    OneContent source_;
    NoSigner signer_;
    WorkerPool workers_{1};
    Contents contents_{io_.get_executor(), source_, workers_, 64 * 1024 * 1024};
    MessageMaker maker_{contents_, signer_, workers_};
};

TEST_F(MessageMakerTest, ASmallMessageIsMadeAtOnce)
{
    const auto draft = maker_.draft_at_once(*job_of(tests::template_content(), R"({"name":"Ann"})"));
    ASSERT_TRUE(draft);
    ASSERT_TRUE(*draft) << draft->error().detail;
    EXPECT_TRUE((*draft)->message.contains("Hi Ann, ann@to.example"));
}

// It would hold up every lane of the shard.
TEST_F(MessageMakerTest, AMessageThatItsVariablesMakeLargeIsLeftToAWorker)
{
    TemplateContent content = tests::template_content();
    content.text.clear();
    for (int i = 0; i < 10; ++i) content.text += "{{big}}\n";
    const std::string big(60'000, 'b');
    TemplateContent by_default = content;
    by_default.defaults = {{"big", big}};
    for (const JobPtr& job : {job_of(content, R"({"big":")" + big + "\"}"), job_of(by_default, "")}) {
        EXPECT_FALSE(maker_.draft_at_once(*job));
        const Result<std::string> message = tests::run(io_, maker_.make(job, std::nullopt));
        ASSERT_TRUE(message) << message.error().detail;
        EXPECT_GT(message->size(), 600'000U);
    }
}

} // namespace
} // namespace penguin::delivery
