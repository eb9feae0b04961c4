#include "engine/delivery/message_maker.h"

#include "engine/base/crash_point.h"

namespace penguin::delivery {

namespace {

// Long enough for two look-ups that have to be repeated.
constexpr std::chrono::seconds kAuditLimit{30};

// Below it a message takes less than a millisecond, signature included: less than what two changes of thread cost when
// all cores are busy.
constexpr std::size_t kInlineMax = std::size_t{256} * 1024; // octets of content, and of what its templates make

Result<ContentPtr> compile_raw(const std::string& raw)
{
    Result<RawContent> content = raw_from_client(raw);
    if (!content) return std::unexpected{content.error()};
    return CompiledContent::compile(std::move(*content));
}

} // namespace

awaitable<Result<ContentPtr>> MessageMaker::content_of(const Job& job)
{
    if (job.entry.raw.empty()) {
        Result<ContentPtr> content = co_await contents_.get(job.entry.tenant, ContentId{job.entry.content});
        co_return content;
    }
    Result<ContentPtr> content = co_await workers_.run([&job] { return compile_raw(job.entry.raw); });
    co_return content;
}

Result<MessageMaker::Draft> MessageMaker::render_and_sign(const Job& job, const CompiledContent& content,
                                                          std::size_t* octets_left) const
{
    const WallTime now = wall_now();
    const RenderRequest request{
        .id = job.entry.id, .to = job.entry.to, .vars = job.entry.vars, .now = now, .octets_left = octets_left};
    Result<std::string> message = content.render(request);
    if (!message) return std::unexpected{message.error()};
    const DomainName& domain = content.from().domain();
    Result<Signature> signature =
        signer_.sign({.tenant = job.entry.tenant, .domain = domain, .message = *message, .now = now});
    if (!signature) return std::unexpected{signature.error()};
    message->insert(0, signature->header_fields);
    return Draft{.message = std::move(*message), .audit_wanted = signature->audit_wanted, .domain = domain};
}

// Nothing: the content is large, or the values of its variables make the message large.
std::optional<Result<MessageMaker::Draft>> MessageMaker::small_draft(const Job& job,
                                                                     const CompiledContent& content) const
{
    if (content.cost() > kInlineMax) return std::nullopt;
    std::size_t octets_left = kInlineMax;
    Result<Draft> made = render_and_sign(job, content, &octets_left);
    if (!made && octets_left == 0) return std::nullopt;
    return made;
}

std::optional<Result<MessageMaker::Draft>> MessageMaker::draft_at_once(const Job& job)
{
    if (!job.entry.raw.empty()) return std::nullopt;
    const ContentPtr content = contents_.at_hand(job.entry.tenant, ContentId{job.entry.content});
    if (!content) return std::nullopt;
    crash_point("delivery.prepare.before");
    return small_draft(job, *content);
}

awaitable<Result<MessageMaker::Draft>> MessageMaker::draft(const Job& job)
{
    crash_point("delivery.prepare.before");
    const Result<ContentPtr> content = co_await content_of(job);
    if (!content) co_return std::unexpected{content.error()};
    if (auto small = small_draft(job, **content)) co_return std::move(*small);
    Result<Draft> draft = co_await workers_.run([&] { return render_and_sign(job, **content); });
    co_return draft;
}

awaitable<Result<std::string>> MessageMaker::make(JobPtr job, std::optional<Result<Draft>> begun)
{
    if (!begun) begun = co_await draft(*job);
    Result<Draft>& made = *begun;
    if (!made) co_return std::unexpected{made.error()};
    if (made->audit_wanted) {
        const Result<> judged = co_await within(kAuditLimit, "signature audit",
                                                signer_.audit(job->entry.tenant, *made->domain, made->message));
        if (!judged) co_return std::unexpected{judged.error()};
    }
    co_return std::move(made->message);
}

} // namespace penguin::delivery
