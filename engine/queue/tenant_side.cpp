// SendQueue's part for tenants' limits: what is in force, who is held, who must be counted.
#include <charconv>

#include <fmt/format.h>

#include "engine/base/log.h"
#include "engine/queue/send_queue_state.h"

namespace penguin::queue {

namespace {

constexpr std::size_t kLimitsMax = 500;   // tenants a script call
constexpr std::size_t kHeldMax = 100;     // tenants whose lists one script call measures
constexpr std::size_t kBehindMax = 20;    // stream entries that counting reads behind the ledger's position
constexpr std::size_t kStandingParts = 6; // of the script's answer

Result<TenantId> tenant_of(std::string_view text)
{
    const Result<Uuid> id = Uuid::parse(text);
    if (!id) return std::unexpected{id.error()};
    return TenantId{*id};
}

} // namespace

awaitable<Result<SendQueue::LimitsByTenant>> SendQueue::limits()
{
    const Result<RedisReply> all = co_await state_->scripts.command({"HGETALL", state_->scripts.key("limits")});
    if (!all) co_return std::unexpected{all.error()};
    LimitsByTenant found;
    const RedisReply::Array& flat = all->array();
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
        const Result<TenantId> tenant = tenant_of(flat[i].text());
        const Result<TenantLimits> limits = stored_limits(flat[i + 1].text());
        // What nobody of us wrote is set anew, as it differs from every setting.
        if (tenant) found.emplace(*tenant, limits.value_or(TenantLimits{.rate = TenantRate{}, .monthly_quota = 0}));
    }
    co_return found;
}

awaitable<Result<>> SendQueue::set_limits(LimitsByTenant changed)
{
    for (auto at = changed.begin(); at != changed.end();) {
        std::vector<std::string> arguments;
        for (std::size_t n = 0; at != changed.end() && n < kLimitsMax; ++at, ++n) {
            arguments.push_back(at->first.value().text());
            arguments.push_back(at->second.any() ? stored_text(at->second) : "");
        }
        const Result<RedisReply> reply = co_await state_->scripts.run(scripts::limit, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
    }
    co_return Result<>{};
}

awaitable<Result<TenantStanding>> SendQueue::standing(TenantId tenant)
{
    const Result<RedisReply> reply = co_await state_->scripts.run(scripts::standing, {tenant.value().text()});
    if (!reply) co_return std::unexpected{reply.error()};
    const RedisReply::Array& answer = reply->array();
    if (answer.size() != kStandingParts || answer[1].text().size() != 6)
        co_return fail(Errc::malformed, "standing: an answer that is not the script's");
    const std::string_view month = answer[1].text(); // 202611
    TenantStanding out{.limits = {}, .month = fmt::format("{}-{}", month.substr(0, 4), month.substr(4))};
    if (answer[0].text().empty()) co_return out;
    const Result<TenantLimits> limits = stored_limits(answer[0].text());
    if (!limits) co_return std::unexpected{limits.error()};
    out.limits = *limits;
    if (limits->rate) {
        out.rate_left = answer[3].integer();
        if (out.rate_left == 0) out.rate_until = from_unix_ms(answer[4].integer());
    }
    if (!limits->monthly_quota) co_return out;
    if (!answer[2].text().empty()) out.used = answer[2].integer();
    out.month_ends = from_unix_ms(answer[5].integer());
    co_return out;
}

awaitable<Result<std::vector<TenantId>>> SendQueue::uncounted(std::size_t most)
{
    const Result<RedisReply> some =
        co_await state_->scripts.command({"SRANDMEMBER", state_->scripts.key("uncounted"), std::to_string(most)});
    if (!some) co_return std::unexpected{some.error()};
    std::vector<TenantId> tenants;
    for (const RedisReply& one : some->array())
        if (const Result<TenantId> tenant = tenant_of(one.text())) tenants.push_back(*tenant);
    co_return tenants;
}

awaitable<Result<std::size_t>> SendQueue::count_month(std::string position, int month,
                                                      std::map<TenantId, std::int64_t> sent)
{
    std::vector<std::string> arguments{std::move(position), std::to_string(month), std::to_string(kBehindMax)};
    for (const auto& [tenant, messages] : sent) {
        arguments.push_back(tenant.value().text());
        arguments.push_back(std::to_string(messages));
    }
    const Result<RedisReply> reply = co_await state_->scripts.run(scripts::count, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    co_return static_cast<std::size_t>(std::max<std::int64_t>(0, reply->integer()));
}

awaitable<Result<>> SendQueue::add_held(Summary& out)
{
    const Result<std::size_t> held = co_await count({"ZCARD", state_->scripts.key("held")});
    if (!held) co_return std::unexpected{held.error()};
    const Result<std::size_t> uncounted = co_await count({"SCARD", state_->scripts.key("uncounted")});
    if (!uncounted) co_return std::unexpected{uncounted.error()};
    out.tenants_held = *held;
    out.tenants_uncounted = *uncounted;
    for (std::size_t from = 0; from < *held; from += kHeldMax) {
        const Result<RedisReply> reply =
            co_await state_->scripts.run(scripts::held_sizes, {std::to_string(from), std::to_string(kHeldMax)});
        if (!reply) co_return std::unexpected{reply.error()};
        const RedisReply::Array& answer = reply->array();
        if (answer.size() != 3) co_return fail(Errc::malformed, "held_sizes: an answer that is not the script's");
        out.ready += static_cast<std::size_t>(answer[1].integer());
        out.parked += static_cast<std::size_t>(answer[2].integer());
    }
    co_return Result<>{};
}

} // namespace penguin::queue
