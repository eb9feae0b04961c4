#include "control/settings/snapshot.h"

#include "control/db/settings_version.h"
#include "control/db/tenancy.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

constexpr std::string_view kSettingsName = "settings.json";
constexpr std::string_view kSuppressionsName = "suppressions.txt";

// By their primary keys. $1, $2: tenant and address of the row before the page.
constexpr std::string_view kTenantsPage = R"(
select tenant_id::text as tenant, address from control.suppressions
where (tenant_id, address) > ($1::uuid, $2::text) order by tenant_id, address limit $3)";

constexpr std::string_view kGlobalPage = R"(
select '' as tenant, address from control.global_suppressions
where $1::uuid is not null and address > $2::text order by address limit $3)";

constexpr std::string_view kAdded = R"(
select '' as tenant, address from control.global_suppressions where change > $1
union all
select tenant_id::text, address from control.suppressions where change > $1)";

// The text only of a version that has not been looked at.
constexpr std::string_view kNewestRules = R"(
select number, created, case when (number, created) is distinct from ($1::bigint, $2::timestamptz) then text end as text
from control.rule_versions order by number desc limit 1)";

constexpr std::string_view kPauses = R"(
select scope, subject, place, rule, since, until, resumed from control.pauses where until > now() order by until desc limit $1)";

std::string lines_of(const db::Rows& rows)
{
    std::string lines;
    for (const db::Row row : rows) lines += suppression_line(row.text("tenant"), row.text("address"));
    return lines;
}

} // namespace

SnapshotKeeper::SnapshotKeeper(db::PgPool& control, Options options, RulesInForce& rules,
                               std::function<void(Snapshot)> publish, Registry& metrics)
    : control_{control},
      options_{std::move(options)},
      rules_{rules},
      publish_{std::move(publish)},
      version_{metrics.gauge("penguin_settings_version", "Version of the settings that the engine works with")},
      suppressed_{metrics.gauge("penguin_settings_suppressions", "Addresses on suppression lists")},
      failures_{metrics.counter("penguin_settings_failures_total", "Looks at the settings that failed")}
{
}

awaitable<Result<>> SnapshotKeeper::start()
{
    Result<SettingsFile> file = read_disk();
    if (file) rules_.apply(file->rules); // what stays in force when the newest version cannot be used
    const Result<bool> read = co_await refresh();
    if (read) co_return Result<>{};
    if (!file)
        co_return fail(Errc::unavailable, "no settings: " + read.error().detail + "; on disk: " + file.error().detail);
    delivery::Suppressions suppressions;
    const Result<std::string> lines = read_file(options_.folder / kSuppressionsName);
    // Without the list, mail would go to people who must not get it.
    if (!lines)
        co_return fail(Errc::unavailable,
                       "no suppressions: " + read.error().detail + "; on disk: " + lines.error().detail);
    add_suppression_lines(*lines, suppressions);
    file_ = std::move(*file);
    take_pauses(std::move(file_.pauses));
    suppressions_ = std::make_shared<const delivery::Suppressions>(std::move(suppressions));
    log::warning("settings", "from_disk", {{"version", file_.version}, {"why", read.error().detail}});
    publish(file_.version, true);
    co_return Result<>{};
}

Result<SettingsFile> SnapshotKeeper::read_disk()
{
    const Result<std::string> text = read_file(options_.folder / kSettingsName);
    if (!text) return std::unexpected{text.error()};
    return parse_settings_file(*text);
}

awaitable<void> SnapshotKeeper::run()
{
    bool failing = false;
    while (!stopped_) {
        co_await until_next_look();
        const Result<bool> done = co_await refresh();
        if (!done) {
            failures_.add();
            if (!failing) log::warning("settings", "not_refreshed", {{"why", done.error().detail}});
        }
        failing = !done;
    }
}

awaitable<void> SnapshotKeeper::until_next_look()
{
    co_await sleep_for(kSettingsGap);
    if (!woken_ && !stopped_) {
        asio::steady_timer timer{co_await asio::this_coro::executor, kSettingsPoll - kSettingsGap};
        struct Here { // also when the coroutine is cancelled
            SnapshotKeeper* keeper;
            ~Here() { keeper->sleeping_ = nullptr; }
        } const here{this};
        sleeping_ = &timer;
        co_await timer.async_wait(use_result);
    }
    woken_ = false;
}

void SnapshotKeeper::wake()
{
    woken_ = true;
    if (sleeping_ != nullptr) sleeping_->cancel();
}

void SnapshotKeeper::stop()
{
    stopped_ = true;
    wake();
}

awaitable<Result<bool>> SnapshotKeeper::refresh()
{
    // The versions first: what changes while we read is read again at the next look.
    const Result<Versions> now = co_await versions();
    if (!now) co_return std::unexpected{now.error()};
    if (*now == seen_) co_return false;
    if (now->settings != seen_.settings) {
        const Result<> read = co_await read_settings();
        if (!read) co_return std::unexpected{read.error()};
    }
    if (now->pauses != seen_.pauses) {
        const Result<> read = co_await read_pauses();
        if (!read) co_return std::unexpected{read.error()};
    }
    if (now->removed != seen_.removed || (now->suppressions != seen_.suppressions && !suppressions_kept_)) {
        const Result<> read = co_await read_all_suppressions();
        if (!read) co_return std::unexpected{read.error()};
    } else if (now->suppressions != seen_.suppressions) {
        const Result<> read = co_await read_new_suppressions(seen_.suppressions);
        if (!read) co_return std::unexpected{read.error()};
    }
    seen_ = *now;
    file_.version = static_cast<std::uint64_t>(now->settings + now->pauses + now->suppressions + now->removed);
    const Result<> kept = replace_file(options_.folder / kSettingsName, to_json(file_));
    if (!kept) log::error("settings", "not_kept", {{"why", kept.error().detail}}); // the engine can go on without
    publish(file_.version, false);
    co_return true;
}

awaitable<Result<SnapshotKeeper::Versions>> SnapshotKeeper::versions()
{
    const auto read = [](db::Transaction& tx) {
        return tx.query("select settings, pauses, suppressions, suppressions_removed from control.settings_version");
    };
    const Result<db::Rows> rows = co_await db::as_platform(control_, read);
    if (!rows) co_return std::unexpected{rows.error()};
    const db::Row row = rows->front();
    co_return Versions{row.get<std::int64_t>("settings"), row.get<std::int64_t>("pauses"),
                       row.get<std::int64_t>("suppressions"), row.get<std::int64_t>("suppressions_removed")};
}

awaitable<Result<>> SnapshotKeeper::read_settings()
{
    const auto read = [&](db::Transaction& tx) -> awaitable<Result<std::vector<db::Rows>>> {
        std::vector<db::Statement> all;
        all.push_back(
            {"select id, pool, weight, status <> 'active' as suspended, rate, monthly_quota from control.tenants", {}});
        all.push_back({"select tenant_id, name, bounce_host from control.domains where verified is not null", {}});
        all.push_back(
            {"select id, host(address) as address, ehlo_name, pool from control.sources where node = $1 order by id",
             db::Params{options_.node}});
        all.push_back(
            {"select k.tenant_id, d.name, k.selector, k.algorithm, k.sealed, k.version from control.dkim_keys k"
             " join control.domains d on d.tenant_id = k.tenant_id and d.id = k.domain_id where k.active"
             " order by k.created, k.id",
             {}});
        const std::chrono::duration<double> kept = db::kCancelledKept;
        all.push_back(
            {"select tenant_id, id, state, coalesce(sending_window, '') as sending_window from control.campaigns"
             " where state = 'paused' or sending_window is not null"
             " or (state = 'cancelled' and changed > now() - make_interval(secs => $1))",
             db::Params{kept.count()}});
        all.push_back({std::string{kNewestRules}, db::Params{rules_.seen().number, rules_.seen().created}});
        all.push_back({"select w.source_id, w.plan, to_char(w.start, 'YYYY-MM-DD') as start, l.provider,"
                       " coalesce(to_char(l.stopped, 'YYYY-MM-DD'), '') as stopped, w.hour_from, w.hour_to, l.stage,"
                       " coalesce(l.cap, 0) as cap from control.warmups w"
                       " join control.sources s on s.id = w.source_id and s.node = $1"
                       " join control.warmup_lanes l on l.source_id = w.source_id order by w.source_id, l.provider",
                       db::Params{options_.node}});
        Result<std::vector<db::Rows>> answers = co_await tx.query_all(std::move(all));
        co_return answers;
    };
    const Result<std::vector<db::Rows>> all = co_await db::as_platform(control_, read);
    if (!all) co_return std::unexpected{all.error()};
    SettingsFile file;
    using Text = std::string;
    for (const db::Row row : (*all)[0])
        file.tenants.push_back({row.get<Text>("id"), row.get<Text>("pool"), row.get<double>("weight"),
                                row.get<bool>("suspended"), row.get<Text>("rate"),
                                row.get<std::int64_t>("monthly_quota")});
    for (const db::Row row : (*all)[1])
        file.domains.push_back({row.get<Text>("tenant_id"), row.get<Text>("name"), row.get<Text>("bounce_host")});
    for (const db::Row row : (*all)[2])
        file.sources.push_back(
            {row.get<Text>("id"), row.get<Text>("address"), row.get<Text>("ehlo_name"), row.get<Text>("pool")});
    for (const db::Row row : (*all)[3])
        file.keys.push_back({row.get<Text>("tenant_id"), row.get<Text>("name"), row.get<Text>("selector"),
                             row.get<Text>("algorithm"), row.get<db::Bytes>("sealed").value,
                             row.get<std::uint32_t>("version")});
    for (const db::Row row : (*all)[4])
        file.campaigns.push_back(
            {row.get<Text>("tenant_id"), row.get<Text>("id"), row.get<Text>("state"), row.get<Text>("sending_window")});
    const db::Rows& rules = (*all)[5];
    if (rules.empty())
        rules_.apply({});
    else if (!rules.front().null("text"))
        rules_.apply({rules.front().get<std::int64_t>("number"), rules.front().get<WallTime>("created"),
                      rules.front().get<Text>("text")});
    file.rules = rules_.stored();
    file.pauses = std::move(file_.pauses);
    for (const db::Row row : (*all)[6])
        file.warmups.push_back({row.get<Text>("source_id"), row.get<Text>("plan"), row.get<Text>("start"),
                                row.get<Text>("provider"), row.get<Text>("stopped"), row.get<unsigned>("hour_from"),
                                row.get<unsigned>("hour_to"), row.get<std::size_t>("stage"),
                                row.get<std::uint64_t>("cap")});
    file_ = std::move(file);
    co_return Result<>{};
}

awaitable<Result<>> SnapshotKeeper::read_pauses()
{
    const auto read = [](db::Transaction& tx) {
        return tx.query(std::string{kPauses}, db::Params{policy::kPausesMax});
    };
    const Result<db::Rows> rows = co_await db::as_platform(control_, read);
    if (!rows) co_return std::unexpected{rows.error()};
    std::vector<policy::SharedPause> pauses;
    for (const db::Row row : *rows) {
        const auto scope = policy::parse_pause_scope(row.text("scope"));
        if (!scope) continue; // of a newer program
        pauses.push_back({.pause = {.scope = *scope,
                                    .subject = row.get<std::string>("subject"),
                                    .place = row.get<std::string>("place"),
                                    .until = row.get<WallTime>("until"),
                                    .since = row.get<WallTime>("since"),
                                    .rule = row.get<std::string>("rule")},
                          .resumed = row.get<std::optional<WallTime>>("resumed")});
    }
    take_pauses(std::move(pauses));
    co_return Result<>{};
}

// The engine looks at them only when they are others.
void SnapshotKeeper::take_pauses(std::vector<policy::SharedPause> pauses)
{
    pauses_ = std::make_shared<const std::vector<policy::SharedPause>>(pauses);
    file_.pauses = std::move(pauses);
}

awaitable<Result<>> SnapshotKeeper::read_all_suppressions()
{
    delivery::Suppressions suppressions;
    std::string lines;
    for (const std::string_view page : {kGlobalPage, kTenantsPage}) {
        std::string tenant = Uuid{}.text();
        std::string address;
        while (true) {
            const auto read = [&](db::Transaction& tx) {
                return tx.query(std::string{page}, db::Params{tenant, address, kSuppressionsAPage});
            };
            const Result<db::Rows> rows = co_await db::as_platform(control_, read);
            if (!rows) co_return std::unexpected{rows.error()};
            const std::string some = lines_of(*rows);
            add_suppression_lines(some, suppressions);
            lines += some;
            if (rows->size() < kSuppressionsAPage) break;
            if (page == kTenantsPage) tenant = (*rows)[rows->size() - 1].text("tenant");
            address = (*rows)[rows->size() - 1].text("address");
        }
    }
    suppressions_ = std::make_shared<const delivery::Suppressions>(std::move(suppressions));
    const Result<> kept = replace_file(options_.folder / kSuppressionsName, lines);
    note_kept(kept);
    co_return Result<>{};
}

awaitable<Result<>> SnapshotKeeper::read_new_suppressions(std::int64_t since)
{
    const auto read = [&](db::Transaction& tx) { return tx.query(std::string{kAdded}, db::Params{since}); };
    const Result<db::Rows> rows = co_await db::as_platform(control_, read);
    if (!rows) co_return std::unexpected{rows.error()};
    const std::string lines = lines_of(*rows);
    delivery::Suppressions suppressions = *suppressions_;
    add_suppression_lines(lines, suppressions);
    suppressions_ = std::make_shared<const delivery::Suppressions>(std::move(suppressions));
    const Result<> kept = append_to_file(options_.folder / kSuppressionsName, lines);
    note_kept(kept);
    co_return Result<>{};
}

// The engine can go on without the file; but lines must not be missing in its middle.
void SnapshotKeeper::note_kept(const Result<>& kept)
{
    suppressions_kept_ = kept.has_value();
    if (!kept) log::error("settings", "not_kept", {{"why", kept.error().detail}});
}

void SnapshotKeeper::publish(std::uint64_t version, bool from_disk)
{
    delivery::Settings settings = settings_of(file_);
    settings.version = version;
    settings.from_disk = from_disk;
    settings.suppressions = suppressions_;
    settings.limits = options_.limits;
    settings.rules = rules_.book();
    settings.pauses = pauses_;
    version_.set(static_cast<std::int64_t>(version));
    suppressed_.set(static_cast<std::int64_t>(suppressions_->size()));
    publish_(Snapshot{std::make_shared<const delivery::Settings>(std::move(settings)), keys_of(file_)});
}

} // namespace penguin::control
