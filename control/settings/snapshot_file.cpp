#include "control/settings/snapshot_file.h"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/base/day.h"
#include "engine/base/log.h"
#include "engine/policy/warmup/plan.h"

namespace penguin::control {

namespace json = boost::json;

namespace {

std::string hex_of(std::string_view octets)
{
    std::string hex;
    for (const char c : octets) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
}

std::string octets_of(std::string_view hex)
{
    const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
    std::string octets;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        octets += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    return octets;
}

std::string text_at(const json::object& row, const char* name) { return std::string{row.at(name).as_string()}; }

template <class Row, class Write>
json::array array_of(const std::vector<Row>& rows, Write write)
{
    json::array array;
    for (const Row& row : rows) array.push_back(write(row));
    return array;
}

template <class Row, class Read>
std::vector<Row> rows_of(const json::object& object, const char* name, Read read)
{
    std::vector<Row> rows;
    for (const json::value& value : object.at(name).as_array()) rows.push_back(read(value.as_object()));
    return rows;
}

void left_out(std::string_view what, std::string_view id, const Error& why)
{
    log::error("settings", "row_left_out", {{"what", what}, {"id", id}, {"why", why.detail}});
}

Result<> error_of_errno(const std::filesystem::path& path)
{
    return fail(Errc::local_fault, fmt::format("{}: {}", path.string(), std::system_category().message(errno)));
}

Result<delivery::CampaignState> campaign_state_of(std::string_view name)
{
    if (name == "paused") return delivery::CampaignState::paused;
    if (name == "cancelled") return delivery::CampaignState::cancelled;
    return fail(Errc::bad_value, "no state of a stopped campaign");
}

std::int64_t microseconds(WallTime time) { return time.time_since_epoch().count(); }

WallTime time_at(const json::object& row, std::string_view name)
{
    return WallTime{Duration{row.at(name).to_number<std::int64_t>()}};
}

policy::SharedPause pause_of(const json::object& row)
{
    const auto scope = policy::parse_pause_scope(text_at(row, "scope"));
    policy::SharedPause out{.pause = {.scope = scope.value(), // throws for what is none
                                      .subject = text_at(row, "subject"),
                                      .place = text_at(row, "place"),
                                      .until = time_at(row, "until"),
                                      .since = time_at(row, "since"),
                                      .rule = text_at(row, "rule")}};
    if (row.contains("resumed")) out.resumed = time_at(row, "resumed");
    return out;
}

Result<policy::WarmupRule> warmup_rule_of(const WarmupRow& row)
{
    const policy::WarmupPlan* const plan = policy::shipped_warmup_plan(row.plan);
    if (plan == nullptr) return fail(Errc::not_found, "no warm-up plan of the name " + row.plan);
    const Result<policy::Day> start = parse_day(row.start);
    if (!start) return std::unexpected{start.error()};
    if (row.hour_from >= row.hour_to || row.hour_to > 24) return fail(Errc::bad_value, "no hours of a day");
    if (row.cap > policy::kWarmupCapMax) return fail(Errc::bad_value, "no cap of a day");
    policy::WarmupRule rule{.cap = row.cap > 0 ? std::optional{row.cap} : plan->cap(row.provider, row.stage),
                            .start = *start,
                            .hour_from = row.hour_from,
                            .hour_to = row.hour_to,
                            .hour_times = plan->hour_times};
    if (row.stopped.empty()) return rule;
    const Result<policy::Day> stopped = parse_day(row.stopped);
    if (!stopped) return std::unexpected{stopped.error()};
    rule.stopped = *stopped;
    return rule;
}

void add_warmups(const SettingsFile& file, delivery::Settings& settings)
{
    for (const WarmupRow& row : file.warmups) {
        const Result<Uuid> source = Uuid::parse(row.source);
        const Result<policy::WarmupRule> rule = warmup_rule_of(row);
        if (source && rule) {
            settings.warmups[SourceId{*source}].insert_or_assign(row.provider, *rule);
            continue;
        }
        left_out("source with its warm-up", row.source, source ? rule.error() : source.error());
        if (source) std::erase_if(settings.sources, [&](const auto& one) { return one.id == SourceId{*source}; });
    }
}

class File {
public:
    File(const std::filesystem::path& path, int flags) : descriptor_{open(path.c_str(), flags | O_CLOEXEC, 0600)} {}
    ~File()
    {
        if (descriptor_ >= 0) close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    bool good() const { return descriptor_ >= 0; }
    bool write_all(std::string_view text) const
    {
        while (!text.empty()) {
            const ssize_t written = write(descriptor_, text.data(), text.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return false;
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        return true;
    }
    bool sync() const { return fsync(descriptor_) == 0; }

private:
    int descriptor_;
};

} // namespace

std::string to_json(const SettingsFile& file)
{
    json::object all;
    all["version"] = file.version;
    all["tenants"] = array_of(file.tenants, [](const TenantRow& row) {
        json::object tenant{{"id", row.id}, {"pool", row.pool}, {"weight", row.weight}, {"suspended", row.suspended}};
        if (row.rate != queue::kUnlimited) tenant["rate"] = row.rate;
        if (row.monthly_quota >= 0) tenant["monthly_quota"] = row.monthly_quota;
        return tenant;
    });
    all["domains"] = array_of(file.domains, [](const DomainRow& row) {
        return json::object{{"tenant", row.tenant}, {"name", row.name}, {"bounce_host", row.bounce_host}};
    });
    all["sources"] = array_of(file.sources, [](const SourceRow& row) {
        return json::object{{"id", row.id}, {"address", row.address}, {"ehlo_name", row.ehlo_name}, {"pool", row.pool}};
    });
    all["keys"] = array_of(file.keys, [](const KeyRow& row) {
        return json::object{{"tenant", row.tenant},       {"domain", row.domain},         {"selector", row.selector},
                            {"algorithm", row.algorithm}, {"sealed", hex_of(row.sealed)}, {"version", row.version}};
    });
    all["campaigns"] = array_of(file.campaigns, [](const CampaignRow& row) {
        json::object campaign{{"tenant", row.tenant}, {"id", row.id}, {"state", row.state}};
        if (!row.window.empty()) campaign["window"] = row.window;
        return campaign;
    });
    all["rules"] = json::object{
        {"number", file.rules.number}, {"created", microseconds(file.rules.created)}, {"text", file.rules.text}};
    all["pauses"] = array_of(file.pauses, [](const policy::SharedPause& row) {
        const policy::Pause& pause = row.pause;
        json::object out{{"scope", policy::name_of(pause.scope)},
                         {"subject", pause.subject},
                         {"place", pause.place},
                         {"rule", pause.rule},
                         {"since", microseconds(pause.since)},
                         {"until", microseconds(pause.until)}};
        if (row.resumed) out["resumed"] = microseconds(*row.resumed);
        return out;
    });
    all["warmups"] = array_of(file.warmups, [](const WarmupRow& row) {
        return json::object{{"source", row.source},     {"plan", row.plan},       {"start", row.start},
                            {"provider", row.provider}, {"stopped", row.stopped}, {"hour_from", row.hour_from},
                            {"hour_to", row.hour_to},   {"stage", row.stage},     {"cap", row.cap}};
    });
    return json::serialize(all);
}

Result<SettingsFile> parse_settings_file(std::string_view text)
{
    boost::system::error_code code;
    const json::value value = json::parse(text, code);
    if (code || !value.is_object()) return fail(Errc::malformed, "the settings on disk are not JSON");
    // A file of ours has every field; what throws here was written by somebody else.
    try {
        const json::object& all = value.get_object();
        SettingsFile file;
        file.version = all.at("version").to_number<std::uint64_t>();
        file.tenants = rows_of<TenantRow>(all, "tenants", [](const json::object& row) {
            TenantRow tenant{text_at(row, "id"), text_at(row, "pool"), row.at("weight").to_number<double>(),
                             row.at("suspended").as_bool()};
            if (row.contains("rate")) tenant.rate = text_at(row, "rate");
            if (row.contains("monthly_quota")) tenant.monthly_quota = row.at("monthly_quota").to_number<std::int64_t>();
            return tenant;
        });
        file.domains = rows_of<DomainRow>(all, "domains", [](const json::object& row) {
            return DomainRow{text_at(row, "tenant"), text_at(row, "name"), text_at(row, "bounce_host")};
        });
        file.sources = rows_of<SourceRow>(all, "sources", [](const json::object& row) {
            return SourceRow{text_at(row, "id"), text_at(row, "address"), text_at(row, "ehlo_name"),
                             text_at(row, "pool")};
        });
        file.keys = rows_of<KeyRow>(all, "keys", [](const json::object& row) {
            return KeyRow{text_at(row, "tenant"),
                          text_at(row, "domain"),
                          text_at(row, "selector"),
                          text_at(row, "algorithm"),
                          octets_of(text_at(row, "sealed")),
                          row.at("version").to_number<std::uint32_t>()};
        });
        // Versions before there were campaigns wrote none.
        if (all.contains("campaigns"))
            file.campaigns = rows_of<CampaignRow>(all, "campaigns", [](const json::object& row) {
                return CampaignRow{text_at(row, "tenant"), text_at(row, "id"), text_at(row, "state"),
                                   row.contains("window") ? text_at(row, "window") : ""};
            });
        // Nor, before there were stored rules, these.
        if (const json::value* const rules = all.if_contains("rules"))
            file.rules = {rules->at("number").to_number<std::int64_t>(), time_at(rules->as_object(), "created"),
                          text_at(rules->as_object(), "text")};
        if (all.contains("pauses")) file.pauses = rows_of<policy::SharedPause>(all, "pauses", pause_of);
        // Nor were there warm-ups.
        if (all.contains("warmups"))
            file.warmups = rows_of<WarmupRow>(all, "warmups", [](const json::object& row) {
                return WarmupRow{text_at(row, "source"),
                                 text_at(row, "plan"),
                                 text_at(row, "start"),
                                 text_at(row, "provider"),
                                 text_at(row, "stopped"),
                                 row.at("hour_from").to_number<unsigned>(),
                                 row.at("hour_to").to_number<unsigned>(),
                                 row.at("stage").to_number<std::size_t>(),
                                 row.at("cap").to_number<std::uint64_t>()};
            });
        return file;
    } catch (const std::exception& e) {
        return fail(Errc::malformed, fmt::format("the settings on disk: {}", e.what()));
    }
}

delivery::Settings settings_of(const SettingsFile& file)
{
    delivery::Settings settings;
    settings.version = file.version;
    for (const TenantRow& row : file.tenants) {
        const Result<Uuid> id = Uuid::parse(row.id);
        const auto rate = queue::TenantRate::parse(row.rate);
        if (!id || !rate) {
            left_out("tenant", row.id, !id ? id.error() : rate.error());
            continue;
        }
        queue::TenantLimits limits{.rate = *rate, .monthly_quota = {}};
        if (row.monthly_quota >= 0) limits.monthly_quota = row.monthly_quota;
        settings.tenants.insert_or_assign(
            TenantId{*id}, delivery::TenantSettings{row.weight, row.suspended, PoolName{row.pool}, limits});
    }
    for (const DomainRow& row : file.domains) {
        const Result<Uuid> tenant = Uuid::parse(row.tenant);
        const Result<DomainName> name = DomainName::parse(row.name);
        const Result<DomainName> bounce_host = DomainName::parse(row.bounce_host);
        if (!tenant || !name || !bounce_host) {
            left_out("domain", row.name, !tenant ? tenant.error() : !name ? name.error() : bounce_host.error());
            continue;
        }
        settings.domains.insert_or_assign(*name, delivery::SendingDomain{TenantId{*tenant}, *name, *bounce_host, true});
    }
    for (const SourceRow& row : file.sources) {
        const Result<Uuid> id = Uuid::parse(row.id);
        const Result<DomainName> ehlo_name = DomainName::parse(row.ehlo_name);
        boost::system::error_code code;
        const auto address = boost::asio::ip::make_address(row.address, code);
        if (!id || !ehlo_name || code) {
            left_out("source", row.address,
                     !id          ? id.error()
                     : !ehlo_name ? ehlo_name.error()
                                  : Error{Errc::bad_address, "no address"});
            continue;
        }
        settings.sources.push_back({SourceId{*id}, address, *ehlo_name, PoolName{row.pool}});
    }
    add_warmups(file, settings);
    for (const CampaignRow& row : file.campaigns) {
        const Result<Uuid> tenant = Uuid::parse(row.tenant);
        const Result<Uuid> id = Uuid::parse(row.id);
        if (!tenant || !id) {
            left_out("campaign", row.id, !tenant ? tenant.error() : id.error());
            continue;
        }
        const CampaignKey key{TenantId{*tenant}, CampaignId{*id}};
        if (row.state != "active") {
            const auto state = campaign_state_of(row.state);
            if (state)
                settings.campaigns.insert_or_assign(key, *state);
            else
                left_out("campaign", row.id, state.error());
        }
        if (row.window.empty()) continue;
        const auto window = policy::SendingWindow::parse(row.window);
        if (window)
            settings.windows.insert_or_assign(key, *window);
        else // rather not at all than at any hour
            settings.campaigns.try_emplace(key, delivery::CampaignState::paused);
        if (!window) left_out("sending window", row.id, window.error());
    }
    return settings;
}

std::vector<dkim::SigningKey> keys_of(const SettingsFile& file)
{
    std::vector<dkim::SigningKey> keys;
    for (const KeyRow& row : file.keys) {
        const Result<Uuid> tenant = Uuid::parse(row.tenant);
        const Result<DomainName> domain = DomainName::parse(row.domain);
        const Result<dkim::Algorithm> algorithm = dkim::parse_algorithm(row.algorithm);
        if (!tenant || !domain || !algorithm) {
            left_out("dkim key", row.selector, !tenant ? tenant.error() : !domain ? domain.error() : algorithm.error());
            continue;
        }
        keys.push_back({TenantId{*tenant}, *domain, row.selector, *algorithm, row.sealed, row.version});
    }
    return keys;
}

Result<> replace_file(const std::filesystem::path& path, std::string_view text)
{
    const std::filesystem::path beside = path.string() + ".new";
    {
        const File file{beside, O_WRONLY | O_CREAT | O_TRUNC};
        if (!file.good() || !file.write_all(text) || !file.sync()) return error_of_errno(beside);
    }
    if (rename(beside.c_str(), path.c_str()) != 0) return error_of_errno(path);
    const File folder{path.parent_path(), O_RDONLY | O_DIRECTORY};
    if (!folder.good() || !folder.sync()) return error_of_errno(path.parent_path());
    return {};
}

Result<> append_to_file(const std::filesystem::path& path, std::string_view text)
{
    const File file{path, O_WRONLY | O_CREAT | O_APPEND};
    if (!file.good() || !file.write_all(text) || !file.sync()) return error_of_errno(path);
    return {};
}

Result<std::string> read_file(const std::filesystem::path& path)
{
    const std::ifstream file{path, std::ios::binary};
    if (!file) return fail(Errc::not_found, path.string());
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

std::string suppression_line(std::string_view tenant, std::string_view address)
{
    return fmt::format("{} {}\n", tenant.empty() ? "*" : tenant, address);
}

void add_suppression_lines(std::string_view text, delivery::Suppressions& suppressions)
{
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) continue;
        const Result<EmailAddress> address = EmailAddress::parse(line.substr(space + 1));
        if (!address) continue;
        if (line.substr(0, space) == "*") {
            suppressions.add_global(*address);
            continue;
        }
        const Result<Uuid> tenant = Uuid::parse(line.substr(0, space));
        if (tenant) suppressions.add(TenantId{*tenant}, *address);
    }
}

} // namespace penguin::control
