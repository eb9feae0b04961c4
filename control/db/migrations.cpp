#include "control/db/migrations.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <openssl/evp.h>

#include "control/db/sql_error.h"
#include "engine/base/log.h"

namespace penguin::control::db {

namespace {

constexpr std::string_view kLockKey = "7160942718540911"; // ours among the database's advisory locks
constexpr std::chrono::milliseconds kLockPause{200};

using Answer = std::shared_ptr<PGresult>;

// Blocking libpq is enough here: nothing else runs yet.
class Session {
public:
    static Result<Session> open(const std::string& dsn)
    {
        const std::array<const char*, 4> keywords{"dbname", "fallback_application_name", "connect_timeout", nullptr};
        const std::array<const char*, 4> values{dsn.c_str(), "penguin-mta migrate", "10", nullptr};
        Session session{std::shared_ptr<PGconn>{PQconnectdbParams(keywords.data(), values.data(), 1), PQfinish}};
        if (PQstatus(session.pg_.get()) != CONNECTION_OK)
            return fail(Errc::unavailable, fmt::format("database: {}", session.message()));
        PQsetNoticeReceiver(session.pg_.get(), [](void*, const PGresult*) {}, nullptr);
        return session;
    }

    // Several statements separated by semicolons are one transaction, unless they say otherwise.
    Result<Answer> run(const std::string& sql) { return checked(Answer{PQexec(pg_.get(), sql.c_str()), PQclear}); }

    Result<Answer> run(const std::string& sql, const std::vector<std::string>& params)
    {
        std::vector<const char*> values;
        values.reserve(params.size());
        for (const std::string& param : params) values.push_back(param.c_str());
        return checked(Answer{PQexecParams(pg_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                           values.data(), nullptr, nullptr, 0),
                              PQclear});
    }

private:
    explicit Session(std::shared_ptr<PGconn> pg) : pg_{std::move(pg)} {}

    std::string message() const
    {
        std::string text = PQerrorMessage(pg_.get());
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }

    Result<Answer> checked(Answer answer) const
    {
        const ExecStatusType status = PQresultStatus(answer.get());
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
        const char* sqlstate = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
        return fail(errc_of(sqlstate != nullptr ? sqlstate : ""), message());
    }

    std::shared_ptr<PGconn> pg_;
};

std::string checksum_of(std::string_view sql)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(sql.data(), sql.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest.at(i));
    return hex;
}

std::string label_of(const Migration& migration)
{
    return fmt::format("{}/{}", name_of(migration.tier), migration.name);
}

std::vector<Migration> of_tier(const std::vector<Migration>& all, Tier tier)
{
    std::vector<Migration> mine;
    std::ranges::copy_if(all, std::back_inserter(mine), [tier](const Migration& one) { return one.tier == tier; });
    std::ranges::sort(mine, {}, &Migration::number);
    return mine;
}

struct Recorded {
    std::string name;
    std::string checksum;
};

Result<std::map<int, Recorded>> recorded(Session& session, Tier tier)
{
    std::map<int, Recorded> found;
    const Result<Answer> there =
        session.run("select to_regclass($1) is not null", {fmt::format("{}.migrations", name_of(tier))});
    if (!there) return std::unexpected{there.error()};
    if (std::string_view{PQgetvalue(there->get(), 0, 0)} != "t") return found;
    const Result<Answer> rows =
        session.run(fmt::format("select number, name, checksum from {}.migrations", name_of(tier)));
    if (!rows) return std::unexpected{rows.error()};
    for (int i = 0; i < PQntuples(rows->get()); ++i)
        found[std::stoi(PQgetvalue(rows->get(), i, 0))] = {PQgetvalue(rows->get(), i, 1),
                                                           PQgetvalue(rows->get(), i, 2)};
    return found;
}

// What is recorded must be what we know, as far as that goes; what a newer program added must not say that we cannot work.
Result<std::vector<Migration>> pending_of(Session& session, Tier tier, const std::vector<Migration>& mine)
{
    const Result<std::map<int, Recorded>> done = recorded(session, tier);
    if (!done) return std::unexpected{done.error()};
    const int newest = mine.empty() ? 0 : mine.back().number;
    for (const auto& [number, record] : *done) {
        if (number <= newest) continue;
        if (record.name.ends_with(kIncompatible))
            return fail(Errc::refused, fmt::format("the {} schema has {}, with which this program cannot work: it was "
                                                   "migrated by a newer penguin-mta; install that one",
                                                   name_of(tier), record.name));
        log::warning("db", "schema_is_newer", {{"tier", name_of(tier)}, {"migration", record.name}});
    }
    std::vector<Migration> pending;
    for (const Migration& one : mine) {
        const auto record = done->find(one.number);
        if (record == done->end()) {
            pending.push_back(one);
            continue;
        }
        if (record->second.checksum != checksum_of(one.sql))
            return fail(Errc::refused, fmt::format("migration {} was applied with other text than this program has: a "
                                                   "migration must not change once it is out; add a new one",
                                                   label_of(one)));
        if (!pending.empty())
            return fail(Errc::refused, fmt::format("migration {} was applied but {} was not", label_of(one),
                                                   label_of(pending.front())));
    }
    return pending;
}

Result<> lock(Session& session)
{
    const SteadyTime until = std::chrono::steady_clock::now() + kMigrationLockLimit;
    while (true) {
        const Result<Answer> got = session.run(fmt::format("select pg_try_advisory_lock({})", kLockKey));
        if (!got) return std::unexpected{got.error()};
        if (std::string_view{PQgetvalue(got->get(), 0, 0)} == "t") return {};
        if (std::chrono::steady_clock::now() > until)
            return fail(Errc::timeout, "another migration holds the lock for more than a minute");
        std::this_thread::sleep_for(kLockPause);
    }
}

Result<> create_roles(Session& session)
{
    for (const std::string_view role : {kApiRole, kWorkerRole}) {
        const Result<Answer> there = session.run("select 1 from pg_roles where rolname = $1", {std::string{role}});
        if (!there) return std::unexpected{there.error()};
        if (PQntuples(there->get()) > 0) continue;
        const Result<Answer> made = session.run(fmt::format("create role {} login", role));
        // Another node, or another database of the same cluster, may have been quicker.
        if (!made && made.error().code != Errc::conflict && !made.error().detail.contains("already exists"))
            return fail(made.error(),
                        fmt::format("creating the role {} (create it by hand: login, no other right)", role));
    }
    return {};
}

Result<> prepare_schema(Session& session, Tier tier)
{
    const std::string schema{name_of(tier)};
    const Result<Answer> made = session.run(
        fmt::format("create schema if not exists {0};"
                    "create table if not exists {0}.migrations (number integer primary key, name text not null,"
                    " checksum text not null, applied timestamptz not null default now());"
                    "grant usage on schema {0} to {1}, {2};"
                    "grant select on {0}.migrations to {1}, {2}",
                    schema, kApiRole, kWorkerRole));
    if (!made) return fail(made.error(), fmt::format("preparing the {} schema", schema));
    return {};
}

Result<> apply(Session& session, const Migration& migration)
{
    const Result<Answer> begun = session.run("begin");
    if (!begun) return std::unexpected{begun.error()};
    Result<Answer> done = session.run(migration.sql);
    if (done)
        done = session.run(fmt::format("insert into {}.migrations (number, name, checksum) values ($1, $2, $3)",
                                       name_of(migration.tier)),
                           {std::to_string(migration.number), migration.name, checksum_of(migration.sql)});
    if (done) done = session.run("commit");
    if (done) return {};
    const Error why = done.error();
    const Result<Answer> ignored = session.run("rollback");
    return fail(why, fmt::format("migration {}", label_of(migration)));
}

Result<> check_numbers(const std::vector<Migration>& mine)
{
    for (std::size_t i = 0; i < mine.size(); ++i)
        if (mine[i].number != static_cast<int>(i) + 1)
            return fail(Errc::bad_value,
                        fmt::format("migration {}: the numbers of a tier must be 1, 2, 3 ...", label_of(mine[i])));
    return {};
}

Result<std::vector<std::string>> migrate_tier(const std::string& dsn, Tier tier, const std::vector<Migration>& mine)
{
    Result<> fine = check_numbers(mine);
    if (!fine) return std::unexpected{fine.error()};
    Result<Session> session = Session::open(dsn);
    if (!session) return std::unexpected{session.error()};
    fine = lock(*session); // until the session ends
    if (fine) fine = create_roles(*session);
    if (fine) fine = prepare_schema(*session, tier);
    if (!fine) return std::unexpected{fine.error()};
    const Result<std::vector<Migration>> pending = pending_of(*session, tier, mine);
    if (!pending) return std::unexpected{pending.error()};
    std::vector<std::string> applied;
    for (const Migration& one : *pending) {
        fine = apply(*session, one);
        if (!fine) return std::unexpected{fine.error()};
        log::info("db", "migrated", {{"migration", label_of(one)}});
        applied.push_back(label_of(one));
    }
    return applied;
}

} // namespace

Result<std::vector<std::string>> migrate(const TierDsns& owner, const std::vector<Migration>& migrations)
{
    std::vector<std::string> all;
    for (const Tier tier : kTiers) {
        const Result<std::vector<std::string>> applied = migrate_tier(owner.of(tier), tier, of_tier(migrations, tier));
        if (!applied) return std::unexpected{applied.error()};
        all.insert(all.end(), applied->begin(), applied->end());
    }
    return all;
}

Result<std::vector<std::string>> pending_migrations(const TierDsns& owner, const std::vector<Migration>& migrations)
{
    std::vector<std::string> all;
    for (const Tier tier : kTiers) {
        Result<Session> session = Session::open(owner.of(tier));
        if (!session) return std::unexpected{session.error()};
        const Result<std::vector<Migration>> pending = pending_of(*session, tier, of_tier(migrations, tier));
        if (!pending) return std::unexpected{pending.error()};
        std::ranges::transform(*pending, std::back_inserter(all), label_of);
    }
    return all;
}

} // namespace penguin::control::db
