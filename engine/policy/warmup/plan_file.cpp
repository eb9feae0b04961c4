// Reads plans.toml, and whatever has its form.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/policy/rule_fields.h"
#include "engine/policy/warmup/plan.h"

namespace penguin::policy {

namespace {

constexpr double kShareError = 0.001; // of the sum of all shares
constexpr std::uint64_t kLeastMost = 1'000;
constexpr std::chrono::seconds kIdleMost = std::chrono::days{365};

std::optional<double> number(RuleFields& in, std::string_view field, double min, double max)
{
    const toml::node* const node = in.find(field);
    if (!node) return std::nullopt;
    const std::optional<double> value = node->value<double>();
    if (value && *value >= min && *value <= max) return value;
    in.refuse(field, fmt::format("must be a number from {} to {}", min, max));
    return std::nullopt;
}

void read_caps(RuleFields& in, WarmupPlan& out)
{
    const toml::node* const node = in.find("caps");
    const toml::array* const array = node ? node->as_array() : nullptr;
    if (array && array->size() <= kWarmupStagesMax)
        for (const toml::node& one : *array) {
            const auto* const cap = one.as_integer();
            if (!cap || cap->get() < 1 || cap->get() > static_cast<std::int64_t>(kWarmupCapMax)) break;
            out.caps.push_back(static_cast<std::uint64_t>(cap->get()));
        }
    if (!array || out.caps.empty() || out.caps.size() != array->size())
        return in.refuse("caps",
                         fmt::format("is needed: 1 to {} numbers from 1 to {}", kWarmupStagesMax, kWarmupCapMax));
    if (!std::ranges::is_sorted(out.caps)) in.refuse("caps", "must not fall from a stage to the next");
}

const toml::table* table(RuleFields& in, std::string_view field)
{
    const toml::node* const node = in.find(field);
    const toml::table* const found = node ? node->as_table() : nullptr;
    if (node && !found) in.refuse(field, "must be a table");
    return found;
}

void read_shares(RuleFields& in, WarmupPlan& out, const std::string& file, RuleProblems& problems)
{
    if (!in.has("shares")) return in.refuse("shares", "is needed: a share of the caps by provider, and other");
    const toml::table* const found = table(in, "shares");
    if (!found) return;
    RuleFields fields{*found, file, problems};
    fields.call(out.name);
    double sum = 0;
    for (const auto& [key, node] : *found) {
        const double share = number(fields, key.str(), 0.001, 1).value_or(0);
        out.shares.emplace(std::string{key.str()}, share);
        sum += share;
    }
    if (!out.shares.contains(kOtherProviders)) in.refuse("shares", "must name other: all that no share names");
    if (std::abs(sum - 1) > kShareError) in.refuse("shares", fmt::format("must add up to 1, not to {:.3f}", sum));
}

WarmupLimit read_limit(RuleFields in, WarmupLimit limit)
{
    limit.hold = number(in, "hold", 0, 1).value_or(limit.hold);
    limit.back = number(in, "back", 0, 1).value_or(limit.back);
    limit.least = in.whole("least", 1, kLeastMost).value_or(limit.least);
    if (limit.back < limit.hold) in.refuse("back", "must not be under hold");
    in.end();
    return limit;
}

void read_limits(RuleFields& in, WarmupPlan& out, const std::string& file, RuleProblems& problems)
{
    if (!in.has("limits")) return in.refuse("limits", "is needed: hold and back of each signal");
    const toml::table* const found = table(in, "limits");
    if (!found) return;
    RuleFields fields{*found, file, problems};
    fields.call(out.name);
    for (const WarmupSignal signal : kWarmupSignals) {
        const toml::table* const limit = table(fields, name_of(signal));
        if (!limit) {
            if (!fields.has(name_of(signal))) fields.refuse(name_of(signal), "is needed");
            continue;
        }
        RuleFields one{*limit, file, problems};
        one.call(out.name);
        out.limits[static_cast<std::size_t>(signal)] = read_limit(std::move(one), {});
    }
    fields.end();
}

WarmupPlan read_plan(RuleFields in, const std::string& file, RuleProblems& problems)
{
    WarmupPlan out;
    out.name = in.name("name");
    in.call(out.name);
    out.origin = in.text("origin", kNoteMax);
    if (!in.has("origin")) in.refuse("origin", "is needed: who published it");
    read_caps(in, out);
    read_shares(in, out, file, problems);
    read_limits(in, out, file, problems);
    out.ends = in.flag("ends", false);
    out.used_enough = number(in, "used_enough", 0, 1).value_or(out.used_enough);
    out.hour_times = number(in, "hour_times", 1, 24).value_or(out.hour_times);
    if (const auto idle = in.time("idle", kIdleMost)) out.idle_most = std::chrono::ceil<std::chrono::days>(*idle);
    out.verified = in.flag("verified", true);
    out.note = in.text("note", kNoteMax);
    in.end();
    return out;
}

std::expected<toml::table, RuleProblems> root_of(std::string_view text, const std::string& file)
{
    if (text.size() > kRuleFileMax)
        return std::unexpected{RuleProblems{{file, 0, "", "", fmt::format("is larger than {} octets", kRuleFileMax)}}};
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& wrong) {
        return std::unexpected{
            RuleProblems{{file, wrong.source().begin.line, "", "", std::string{wrong.description()}}}};
    }
}

} // namespace

std::expected<std::vector<WarmupPlan>, RuleProblems> parse_warmup_plans(std::string_view text, std::string_view file)
{
    const std::string name{file};
    const auto root = root_of(text, name);
    if (!root) return std::unexpected{root.error()};
    RuleProblems problems;
    std::vector<WarmupPlan> plans;
    for (const auto& [key, node] : *root) {
        const toml::array* const array = key.str() == "plan" ? node.as_array() : nullptr;
        const bool tables = array && array->size() <= kWarmupPlansMax &&
                            std::ranges::all_of(*array, [](const toml::node& one) { return one.is_table(); });
        if (!tables) {
            problems.push_back({name, key.source().begin.line, "", std::string{key.str()},
                                fmt::format("here are at most {} tables: [[plan]]", kWarmupPlansMax)});
            continue;
        }
        for (const toml::node& one : *array)
            plans.push_back(read_plan(RuleFields{*one.as_table(), name, problems}, name, problems));
    }
    for (auto plan = plans.begin(); plan != plans.end(); ++plan)
        if (std::ranges::find(plan + 1, plans.end(), plan->name, &WarmupPlan::name) != plans.end())
            problems.push_back({name, 0, plan->name, "name", "there are two plans of this name"});
    if (problems.empty()) return plans;
    return std::unexpected{std::move(problems)};
}

} // namespace penguin::policy
