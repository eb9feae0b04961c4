#include "engine/mail/content.h"
#include "engine/mail/message_plan.h"
#include "engine/mail/mime_builder.h"
#include "engine/mail/raw_message.h"

namespace penguin {

namespace {

class PlannedContent final : public CompiledContent {
public:
    explicit PlannedContent(MessagePlan plan) : plan_{std::move(plan)} {}
    Result<std::string> render(const RenderRequest& request) const override { return plan_.render(request); }
    const EmailAddress& from() const override { return plan_.from(); }
    std::size_t cost() const override { return plan_.cost(); }

private:
    MessagePlan plan_;
};

} // namespace

Result<std::shared_ptr<const CompiledContent>> CompiledContent::compile(Content content)
{
    Result<MessagePlan> plan = std::holds_alternative<RawContent>(content)
                                   ? plan_of(std::get<RawContent>(content))
                                   : plan_of(std::get<TemplateContent>(content), content_id(to_json(content)).value());
    if (!plan) return std::unexpected{plan.error()};
    return std::make_shared<const PlannedContent>(std::move(*plan));
}

const EmailAddress& from_of(const Content& content)
{
    if (const auto* raw = std::get_if<RawContent>(&content)) return raw->from;
    return std::get<TemplateContent>(content).from.address;
}

} // namespace penguin
