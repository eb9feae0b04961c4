#include "bench/sink/profile_reputation.h"

namespace penguin::bench {

namespace {

constexpr double kCountMost = 1e9;
constexpr std::int64_t kHoursMost = 24LL * 366;
constexpr std::int64_t kMinutesMost = 24LL * 60;
constexpr double kFactorMost = 1000;

Duration hours(ProfileSection& section, std::string_view key, Duration otherwise)
{
    const auto usual = std::chrono::duration_cast<std::chrono::hours>(otherwise).count();
    return std::chrono::hours{section.number(key, 1, kHoursMost, usual)};
}

Duration minutes(ProfileSection& section, std::string_view key, Duration otherwise)
{
    const auto usual = std::chrono::duration_cast<std::chrono::minutes>(otherwise).count();
    return std::chrono::minutes{section.number(key, 1, kMinutesMost, usual)};
}

ReputationRules::Measure read_measure(ProfileSection& reputation, std::string_view key)
{
    ReputationRules::Measure measure;
    std::optional<ProfileSection> section = reputation.section(key);
    if (!section) return measure;
    measure.tolerated = section->share("tolerated", std::nullopt);
    measure.critical = section->share("critical", std::nullopt);
    if (measure.critical <= measure.tolerated) section->wrong("critical", "more than tolerated");
    measure.weight = section->real("weight", 0, 100, std::nullopt);
    measure.sample = section->real("sample", 1, kCountMost, std::nullopt);
    section->end();
    return measure;
}

void read_treatment(ProfileSection& reputation, Grade grade, ReputationRules& rules)
{
    std::optional<ProfileSection> section = reputation.section(name_of(grade));
    if (!section) return;
    ReputationRules::Treatment& treatment = rules.treatment[static_cast<std::size_t>(grade)];
    treatment.allowed = section->real("allowed", 0, kFactorMost, 1);
    treatment.deferred = section->share("deferred", 0);
    treatment.complained = section->share("complained", 0);
    section->end();
}

void read_throttle(ProfileSection& reputation, ReputationRules::Throttle& throttle)
{
    std::optional<ProfileSection> section = reputation.section("throttle");
    if (!section) return;
    throttle.patience = section->share("patience", throttle.patience);
    throttle.quiet = minutes(*section, "quiet-min", throttle.quiet);
    throttle.ramp = minutes(*section, "ramp-min", throttle.ramp);
    throttle.floor = section->share("floor", throttle.floor);
    section->end();
}

void read_block(ProfileSection& reputation, ReputationRules::Block& block)
{
    std::optional<ProfileSection> section = reputation.section("block");
    if (!section) return;
    block.time = hours(*section, "hours", block.time);
    block.probes = static_cast<std::uint32_t>(section->number("probes", 0, 1'000'000, block.probes));
    section->end();
}

std::optional<ReputationRules::Hostile> read_hostile(ProfileSection& reputation)
{
    std::optional<ProfileSection> section = reputation.section("hostile");
    if (!section) return std::nullopt;
    ReputationRules::Hostile hostile;
    hostile.from_day = static_cast<int>(section->number("from-day", 1, 10'000, std::nullopt));
    hostile.days = static_cast<int>(section->number("days", 0, 10'000, hostile.days));
    hostile.factor = section->share("factor", hostile.factor);
    section->end();
    return hostile;
}

std::optional<ProviderReputation::Replies> read_replies(ProfileSection& reputation, std::string_view key)
{
    std::optional<ProfileSection> section = reputation.section(key);
    if (!section) return std::nullopt;
    ProviderReputation::Replies replies{.throttled = section->answer("throttled-reply"),
                                        .deferred = section->answer("deferred-reply"),
                                        .blocked = section->answer("blocked-reply")};
    section->end();
    return replies;
}

std::optional<EmailAddress> address(ProfileSection& section, std::string_view key)
{
    Result<EmailAddress> address = EmailAddress::parse(section.text(key));
    if (address && !address->needs_smtputf8()) return std::move(*address);
    section.wrong(key, "an address, ASCII alone");
    return std::nullopt;
}

ReputationRules read_rules(ProfileSection& section)
{
    ReputationRules rules;
    rules.start = section.real("start", kLowFrom, 100, rules.start);
    rules.first_day = section.real("first-day", 1, kCountMost, rules.first_day);
    rules.growth = section.real("growth", 1, kFactorMost, rules.growth);
    rules.forget_days =
        static_cast<int>(section.number("forget-days", 1, ReputationRules::kForgetDaysMost, rules.forget_days));
    rules.memory = hours(section, "memory-h", rules.memory);
    rules.fall = hours(section, "fall-h", rules.fall);
    rules.rise = hours(section, "rise-h", rules.rise);
    rules.unknown = read_measure(section, "unknown");
    rules.complaints = read_measure(section, "complaints");
    rules.pushing = read_measure(section, "pushing");
    for (const Grade grade : {Grade::low, Grade::medium, Grade::high}) read_treatment(section, grade, rules);
    read_throttle(section, rules.throttle);
    read_block(section, rules.block);
    rules.hostile = read_hostile(section);
    return rules;
}

} // namespace

std::optional<ProviderReputation> read_reputation(ProfileSection& root)
{
    std::optional<ProfileSection> section = root.section("reputation");
    if (!section) return std::nullopt;
    ProviderReputation reputation{.rules = read_rules(*section)};
    reputation.address = read_replies(*section, "address");
    reputation.domain = read_replies(*section, "domain");
    if (!reputation.address && !reputation.domain) section->wrong("address", "a table, or domain is one");
    section->end();
    return reputation;
}

std::optional<ProviderReports> read_reports(ProfileSection& root)
{
    std::optional<ProfileSection> section = root.section("reports");
    if (!section) return std::nullopt;
    const std::optional<EmailAddress> from = address(*section, "from");
    if (!from) return std::nullopt;
    ProviderReports reports{.from = *from};
    if (section->has("to")) reports.to = address(*section, "to");
    reports.per_minute = static_cast<std::uint32_t>(section->number("per-min", 1, 1'000'000, reports.per_minute));
    reports.most = static_cast<std::uint32_t>(section->number("max", 1, 1'000'000'000, reports.most));
    reports.redact = section->flag("redact", reports.redact);
    section->end();
    return reports;
}

} // namespace penguin::bench
