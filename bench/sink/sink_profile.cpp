#include "bench/sink/sink_profile.h"

#include <fstream>
#include <set>
#include <sstream>

#include <toml++/toml.h>

namespace penguin::bench {

namespace {

constexpr std::int64_t kCountMax = 1'000'000'000;
constexpr std::int64_t kSecondsMax = 366LL * 24 * 3600;
constexpr std::int64_t kDelayMax = 3'600'000; // milliseconds
constexpr std::size_t kReplyLineMax = 500;    // octets of text (RFC 5321 4.5.3.1.5: 512 with code and CRLF)

template <class T>
struct Named {
    std::string_view name;
    T value;
};

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

std::optional<ProviderAnswer> answer_in(std::string_view text)
{
    if (text.size() < 5 || text[3] != ' ' || (text[0] != '4' && text[0] != '5')) return std::nullopt;
    ProviderAnswer answer;
    for (const char c : text.substr(0, 3)) {
        if (c < '0' || c > '9') return std::nullopt;
        answer.code = answer.code * 10 + (c - '0');
    }
    std::istringstream lines{std::string{text.substr(4)}};
    for (std::string line; std::getline(lines, line); answer.lines.push_back(line)) {
        if (line.empty() || line.size() > kReplyLineMax) return std::nullopt;
        for (const char c : line)
            if (c < ' ' || c > '~') return std::nullopt;
    }
    if (answer.lines.empty() || answer.lines.size() > SinkProfile::kReplyLinesMax) return std::nullopt;
    return answer;
}

// One table of the file. The first thing that is wrong is kept, what comes after it is read with defaults.
class Section {
public:
    Section(const toml::table& table, std::string path, std::optional<Error>& problem)
        : table_{&table},
          path_{std::move(path)},
          problem_{&problem}
    {
    }

    bool has(std::string_view key) const { return table_->contains(key); }

    std::int64_t number(std::string_view key, std::int64_t least, std::int64_t most,
                        std::optional<std::int64_t> otherwise)
    {
        const auto value = get(key).value_exact<std::int64_t>();
        if (value && *value >= least && *value <= most) return *value;
        if (has(key) || !otherwise)
            wrong(key, "a whole number, " + std::to_string(least) + " to " + std::to_string(most));
        return otherwise.value_or(least);
    }

    double share(std::string_view key, std::optional<double> otherwise)
    {
        const auto value = get(key).value<double>();
        if (value && *value >= 0 && *value <= 1) return *value;
        if (has(key) || !otherwise) wrong(key, "a number, 0 to 1");
        return otherwise.value_or(0);
    }

    template <class T, std::size_t N>
    T choice(std::string_view key, const Named<T> (&names)[N], std::optional<T> otherwise)
    {
        const auto text = get(key).template value_exact<std::string>();
        std::string all;
        for (const Named<T>& one : names) {
            if (text && *text == one.name) return one.value;
            all += (all.empty() ? "" : ", ") + std::string{one.name};
        }
        if (has(key) || !otherwise) wrong(key, "one of " + all);
        return otherwise.value_or(names[0].value);
    }

    std::string text(std::string_view key)
    {
        const auto value = get(key).value_exact<std::string>();
        if (!value || value->empty()) wrong(key, "a text that is not empty");
        return value.value_or("");
    }

    ProviderAnswer answer(std::string_view key)
    {
        const std::optional<ProviderAnswer> answer = answer_in(get(key).value_exact<std::string>().value_or(""));
        if (!answer)
            wrong(key, R"(a reply such as "450 4.2.0 later": 400 to 599, a space, 1 to 8 lines of printable ASCII )"
                       "parted by \\n, 500 octets each");
        return answer.value_or(ProviderAnswer{});
    }

    // `reply`, or `drop = true` for closing without a word.
    ProviderAnswer answer_or_drop()
    {
        const std::optional<bool> drop = get("drop").value_exact<bool>();
        if (has("drop") && !drop.value_or(false)) wrong("drop", "true, or left out");
        if (has("drop") && has("reply")) wrong("drop", "not beside reply");
        return has("drop") ? ProviderAnswer{} : answer("reply");
    }

    std::optional<Section> section(std::string_view key)
    {
        const toml::table* table = get(key).as_table();
        if (table != nullptr) return Section{*table, full(key), *problem_};
        if (has(key)) wrong(key, "a table");
        return std::nullopt;
    }

    std::vector<Section> sections(std::string_view key)
    {
        std::vector<Section> out;
        const toml::array* array = get(key).as_array();
        if (has(key) && array == nullptr) wrong(key, "an array of tables");
        for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
            if (const toml::table* table = array->get(i)->as_table())
                out.emplace_back(*table, full(key) + "[" + std::to_string(i) + "]", *problem_);
            else
                wrong(key, "an array of tables");
        }
        return out;
    }

    void wrong(std::string_view key, const std::string& rule)
    {
        if (!*problem_) *problem_ = Error{Errc::bad_value, "profile: " + full(key) + ": " + rule};
    }

    // Whoever is here and was never asked for is not known.
    void end()
    {
        for (const auto& [key, value] : *table_)
            if (!asked_.contains(key.str())) wrong(key.str(), "no such key");
    }

private:
    toml::node_view<const toml::node> get(std::string_view key)
    {
        asked_.emplace(key);
        return (*table_)[key];
    }
    std::string full(std::string_view key) const { return (path_.empty() ? "" : path_ + ".") + std::string{key}; }

    const toml::table* table_;
    std::string path_;
    std::optional<Error>* problem_;
    std::set<std::string, std::less<>> asked_;
};

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

smtp::Reply ProviderAnswer::reply(std::string_view ip, std::string_view rcpt) const
{
    std::vector<std::string> said = lines;
    for (std::string& line : said) {
        replace(line, "{ip}", ip);
        replace(line, "{rcpt}", rcpt);
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
