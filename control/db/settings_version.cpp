#include "control/db/settings_version.h"

namespace penguin::control::db {

namespace {

awaitable<Result<>> changed(Transaction& tx, std::string count_up, std::optional<AuditEntry> what)
{
    std::vector<Statement> statements(1, {std::move(count_up), {}});
    if (what) statements.push_back(audit_statement(*what));
    const Result<std::vector<Rows>> rows = co_await tx.query_all(std::move(statements));
    if (!rows) co_return std::unexpected{rows.error()};
    if (what) tell_at_commit(tx, *what);
    co_return Result<>{};
}

} // namespace

awaitable<Result<>> settings_changed(Transaction& tx, AuditEntry what)
{
    co_return co_await changed(tx, "update control.settings_version set settings = settings + 1", std::move(what));
}

awaitable<Result<>> pauses_changed(Transaction& tx, std::optional<AuditEntry> what)
{
    co_return co_await changed(tx, "update control.settings_version set pauses = pauses + 1", std::move(what));
}

namespace {

constexpr std::string_view kAddToTenants = R"(
with moved as (
    update control.settings_version set suppressions = suppressions + 1 returning suppressions as change
)
insert into control.suppressions (tenant_id, address, reason, source_event, change, created)
select given.tenant, given.address, given.reason, given.event, moved.change, $5::timestamptz
from moved, unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as given(tenant, address, reason, event)
on conflict do nothing)";

constexpr std::string_view kAddToAll = R"(
with moved as (
    update control.settings_version set suppressions = suppressions + 1 returning suppressions as change
)
insert into control.global_suppressions (address, reason, source_event, change, created)
select given.address, given.reason, given.event, moved.change, $4::timestamptz
from moved, unnest($1::text[], $2::text[], $3::text[]) as given(address, reason, event)
on conflict do nothing)";

struct Columns {
    std::vector<TenantId> tenants;
    std::vector<std::string> addresses, reasons, events;
    void add(NewSuppression&& one)
    {
        if (one.tenant) tenants.push_back(*one.tenant);
        addresses.push_back(std::move(one.address));
        reasons.push_back(std::move(one.reason));
        events.push_back(std::move(one.source_event));
    }
};

} // namespace

awaitable<Result<std::size_t>> add_suppressions(Transaction& tx, std::vector<NewSuppression> suppressions, WallTime now)
{
    Columns of_tenants;
    Columns of_all;
    for (NewSuppression& one : suppressions) (one.tenant ? of_tenants : of_all).add(std::move(one));
    std::size_t added = 0;
    if (!of_tenants.addresses.empty()) {
        const Result<Rows> rows =
            co_await tx.query(std::string{kAddToTenants}, Params{of_tenants.tenants, of_tenants.addresses,
                                                                 of_tenants.reasons, of_tenants.events, now});
        if (!rows) co_return std::unexpected{rows.error()};
        added += rows->affected();
    }
    if (!of_all.addresses.empty()) {
        const Result<Rows> rows =
            co_await tx.query(std::string{kAddToAll}, Params{of_all.addresses, of_all.reasons, of_all.events, now});
        if (!rows) co_return std::unexpected{rows.error()};
        added += rows->affected();
    }
    co_return added;
}

awaitable<Result<>> remove_suppression(Transaction& tx, std::optional<TenantId> tenant, std::string address)
{
    const Result<Rows> gone =
        tenant ? co_await tx.query("delete from control.suppressions where tenant_id = $1 and address = $2",
                                   Params{*tenant, address})
               : co_await tx.query("delete from control.global_suppressions where address = $1", Params{address});
    if (!gone) co_return std::unexpected{gone.error()};
    if (gone->affected() == 0) co_return fail(Errc::not_found, "no such suppression");
    const Result<Rows> moved =
        co_await tx.query("update control.settings_version set suppressions_removed = suppressions_removed + 1");
    if (!moved) co_return std::unexpected{moved.error()};
    co_return Result<>{};
}

} // namespace penguin::control::db
