#include "bench/sink/sink_profile.h"

#include <fstream>
#include <sstream>

#include "bench/sink/profile_reputation.h"
#include "bench/sink/profile_section.h"

namespace penguin::bench {

namespace {

using Section = ProfileSection;
template <class T>
using Named = ProfileSection::Named<T>;

constexpr std::int64_t kCountMax = 1'000'000'000;
constexpr std::int64_t kSecondsMax = 366LL * 24 * 3600;
constexpr std::int64_t kDelayMax = 3'600'000; // milliseconds

constexpr Named<SinkPhase> kPhases[] = {{"greeting", SinkPhase::greeting}, {"ehlo", SinkPhase::ehlo},
                                        {"starttls", SinkPhase::starttls}, {"mail", SinkPhase::mail},
                                        {"rcpt", SinkPhase::rcpt},         {"data", SinkPhase::data},
                                        {"body", SinkPhase::body}};
constexpr Named<ProviderFault::Action> kActions[] = {{"delay", ProviderFault::Action::delay},
                                                     {"drop", ProviderFault::Action::drop},
                                                     {"stall", ProviderFault::Action::stall}};
constexpr Named<ProviderTls> kTlsVariants[] = {
    {"good", ProviderTls::good},       {"none", ProviderTls::none},
    {"expired", ProviderTls::expired}, {"old-protocol", ProviderTls::old_protocol},
    {"stalled", ProviderTls::stalled}, {"wrong-name", ProviderTls::wrong_name}};

std::optional<ProviderLimit> read_limit(Section& limits, std::string_view key, bool rate = false)
{
    std::optional<Section> section = limits.section(key);
    if (!section) return std::nullopt;
    ProviderLimit limit;
    limit.max = static_cast<std::uint32_t>(section->number("max", 1, kCountMax, std::nullopt));
    if (rate) limit.per = std::chrono::seconds{section->number("per-s", 1, kSecondsMax, std::nullopt)};
    limit.answer = section->answer_or_drop();
    section->end();
    return limit;
}

void read_limits(Section& root, SinkProfile& profile)
{
    std::optional<Section> limits = root.section("limits");
    if (!limits) return;
    profile.concurrent_connections = read_limit(*limits, "concurrent-connections");
    profile.connection_rate = read_limit(*limits, "connection-rate", true);
    profile.message_rate = read_limit(*limits, "message-rate", true);
    profile.messages_per_connection = read_limit(*limits, "messages-per-connection");
    profile.messages_per_day = read_limit(*limits, "messages-per-day");
    if (profile.messages_per_day) profile.messages_per_day->per = std::chrono::hours{24};
    profile.recipients_per_transaction = read_limit(*limits, "recipients-per-transaction");
    limits->end();
}

void read_greylisting(Section& root, SinkProfile& profile)
{
    std::optional<Section> section = root.section("greylisting");
    if (!section) return;
    ProviderGreylisting grey;
    const auto seconds = [&](std::string_view key, std::chrono::seconds otherwise) {
        return std::chrono::seconds{section->number(key, 1, kSecondsMax, otherwise.count())};
    };
    grey.delay = seconds("delay-s", grey.delay);
    grey.retry = seconds("retry-s", grey.retry);
    grey.keep = seconds("keep-s", grey.keep);
    if (grey.retry <= grey.delay) section->wrong("retry-s", "more than delay-s");
    grey.share = section->share("share", 1);
    grey.answer = section->answer("reply");
    section->end();
    profile.greylisting = grey;
}

std::optional<ProviderShare> read_share(Section& recipients, std::string_view key)
{
    std::optional<Section> section = recipients.section(key);
    if (!section) return std::nullopt;
    ProviderShare share{.share = section->share("share", std::nullopt), .answer = section->answer("reply")};
    section->end();
    return share;
}

void read_recipients(Section& root, SinkProfile& profile)
{
    std::optional<Section> section = root.section("recipients");
    if (!section) return;
    profile.unknown = read_share(*section, "unknown");
    profile.full = read_share(*section, "full");
    if (profile.unknown && profile.full && profile.unknown->share + profile.full->share > 1)
        section->wrong("full.share", "at most 1 together with unknown.share");
    section->end();
}

void read_tls(Section& root, SinkProfile& profile)
{
    std::optional<Section> section = root.section("tls");
    if (!section) return;
    profile.tls = section->choice<ProviderTls>("variant", kTlsVariants, ProviderTls::good);
    if (section->has("required-reply")) {
        profile.tls_required = section->answer("required-reply");
        if (profile.tls == ProviderTls::none) section->wrong("required-reply", "not with variant none");
    }
    section->end();
}

void read_tarpit(Section& root, SinkProfile& profile)
{
    std::optional<Section> section = root.section("tarpit");
    if (!section) return;
    const auto refusals = section->number("refusals", 0, kCountMax, 0);
    const auto delay = section->number("delay-ms", 1, kDelayMax, std::nullopt);
    section->end();
    profile.tarpit = ProviderTarpit{static_cast<std::uint32_t>(refusals), std::chrono::milliseconds{delay}};
}

void read_pace(Section& root, SinkProfile& profile)
{
    std::optional<Section> section = root.section("pace");
    if (!section) return;
    profile.pace = static_cast<std::uint32_t>(section->number("per-s", 1, kCountMax, std::nullopt));
    section->end();
}

void read_faults(Section& root, SinkProfile& profile)
{
    for (Section& section : root.sections("faults")) {
        ProviderFault fault;
        fault.phase = section.choice<SinkPhase>("phase", kPhases, std::nullopt);
        fault.action = section.choice<ProviderFault::Action>("action", kActions, std::nullopt);
        fault.share = section.share("share", 1);
        const bool delays = fault.action == ProviderFault::Action::delay;
        fault.delay = std::chrono::milliseconds{
            section.number("delay-ms", 0, kDelayMax, delays ? std::nullopt : std::optional<std::int64_t>{0})};
        section.end();
        profile.faults.push_back(fault);
    }
    if (profile.faults.size() > SinkProfile::kFaultsMax)
        root.wrong("faults", "at most " + std::to_string(SinkProfile::kFaultsMax));
}

void replace(std::string& text, std::string_view what, std::string_view with)
{
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

} // namespace

smtp::Reply ProviderAnswer::reply(std::string_view ip, std::string_view rcpt, std::string_view domain) const
{
    std::vector<std::string> said = lines;
    for (std::string& line : said) {
        replace(line, "{ip}", ip);
        replace(line, "{rcpt}", rcpt);
        replace(line, "{domain}", domain);
    }
    return smtp::Reply::make(code, std::move(said));
}

Result<SinkProfile> SinkProfile::parse(std::string_view toml)
{
    toml::table table;
    try {
        table = toml::parse(toml);
    } catch (const toml::parse_error& error) {
        return fail(Errc::bad_value, "profile: line " + std::to_string(error.source().begin.line) + ": " +
                                         std::string{error.description()});
    }
    std::optional<Error> problem;
    Section root{table, "", problem};
    SinkProfile profile;
    profile.name = root.text("name");
    profile.seed = static_cast<std::uint64_t>(root.number("seed", 0, INT64_MAX, 1));
    read_tls(root, profile);
    read_limits(root, profile);
    read_greylisting(root, profile);
    read_recipients(root, profile);
    read_tarpit(root, profile);
    read_pace(root, profile);
    read_faults(root, profile);
    profile.reputation = read_reputation(root);
    profile.reports = read_reports(root);
    root.end();
    if (problem) return std::unexpected{*problem};
    return profile;
}

Result<SinkProfile> SinkProfile::read(const std::filesystem::path& file)
{
    std::ifstream stream{file};
    std::stringstream text;
    if (stream.peek() != std::ifstream::traits_type::eof()) text << stream.rdbuf();
    if (!stream) return fail(Errc::bad_value, "profile: cannot read " + file.string());
    Result<SinkProfile> profile = parse(text.str());
    if (!profile) profile.error().detail = file.string() + ": " + profile.error().detail;
    return profile;
}

} // namespace penguin::bench
