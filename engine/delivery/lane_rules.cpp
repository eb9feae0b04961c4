// What the rules of its provider make of a lane: verdicts, limits, TLS.
#include "engine/base/log.h"
#include "engine/delivery/lane.h"

namespace penguin::delivery {

// By the current rules; null: nobody known.
const policy::Provider* Lane::provider(const Settings& settings)
{
    if (rules_ == settings.rules) return provider_;
    rules_ = settings.rules;
    provider_ = rules_->provider(rules_->provider_of(mx_.text()));
    return provider_;
}

LaneLimits Lane::limits()
{
    const std::shared_ptr<const Settings> settings = context_.settings();
    LaneLimits out = narrowed(settings->limits, provider(*settings));
    const SteadyTime now = std::chrono::steady_clock::now();
    out.connections = trouble_.connections(out.connections, now);
    out.messages_per_connection = trouble_.messages(out.messages_per_connection, now);
    return out;
}

// By the provider's profile, or because a reply asked for it. Who has switched TLS off altogether has switched this off.
bool Lane::demands_tls()
{
    const std::shared_ptr<const Settings> settings = context_.settings();
    const policy::Provider* const known = provider(*settings);
    const bool demanded = (known && known->tls_required) || trouble_.demands_tls(std::chrono::steady_clock::now());
    return demanded && context_.session.starttls;
}

// One connection more than the lane may have by now: it ends.
bool Lane::leaves()
{
    if (connections_ - leaving_ <= limits().connections) return false;
    ++leaving_;
    return true;
}

policy::Verdict Lane::decide(const smtp::Outcome& outcome)
{
    if (!policy::rules_apply(outcome)) return policy::decide(outcome);
    const std::shared_ptr<const Settings> settings = context_.settings();
    const policy::Provider* const known = provider(*settings);
    return policy::decide(outcome, *settings->rules, known ? std::string_view{known->name} : "");
}

void Lane::react(const policy::Verdict& verdict)
{
    const bool taken = verdict.kind == policy::Verdict::Kind::delivered;
    if (taken ? !trouble_.growing() : !verdict.matched) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (taken) {
        const std::shared_ptr<const Settings> settings = context_.settings();
        if (trouble_.taken(narrowed(settings->limits, provider(*settings)).connections, now)) grow();
        return;
    }
    if (!trouble_.react(*verdict.matched, now)) return;
    const LaneLimits narrow = limits();
    log::warning("delivery", "lane_narrowed",
                 {{"mx", mx_.text()},
                  {"source", source_.address.to_string()},
                  {"rule", verdict.matched->id},
                  {"connections", narrow.connections},
                  {"messages_per_connection", narrow.messages_per_connection},
                  {"tls", demands_tls() ? "demanded" : "as offered"}});
}

} // namespace penguin::delivery
