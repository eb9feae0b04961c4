#include "control/daemon/audit_commands.h"

#include <fstream>
#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "control/audit/record_text.h"
#include "control/daemon/part_options.h"
#include "control/db/database.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

// A line, without its end. False at the end of the text; a line that is too long is cut, so that it does not parse.
bool next_line(std::istream& in, std::string& line)
{
    line.clear();
    while (in) {
        const int octet = in.get();
        if (octet == std::istream::traits_type::eof()) return !line.empty();
        if (octet == '\n') return true;
        if (line.size() <= audit::kRecordLineMax) line += static_cast<char>(octet);
    }
    return false;
}

int refuse(std::ostream& out, std::string_view what)
{
    fmt::print(out, "{}\n", what);
    return 1;
}

} // namespace

awaitable<Result<std::size_t>> write_audit(db::PgPool& owner, std::ostream& out)
{
    std::size_t count = 0;
    std::int64_t after = 0;
    while (true) {
        const auto rows = co_await db::as_platform(owner, [after](db::Transaction& tx) {
            return tx.query(
                fmt::format("select {} from control.audit where seq > $1 order by seq limit $2", audit::kRecordColumns),
                db::Params{after, kRecordsAPage});
        });
        if (!rows) co_return std::unexpected{rows.error()};
        for (const db::Row row : *rows) {
            const audit::AuditRecord record = audit::record_of(row);
            after = record.seq;
            out << audit::line_of(record) << '\n';
            ++count;
        }
        if (!out) co_return fail(Errc::local_fault, "the output takes no more");
        if (rows->size() < kRecordsAPage) co_return count;
    }
}

int run_audit_export(const Config& config)
{
    const StateDir dir{config.node.state_dir};
    asio::io_context io;
    Registry metrics;
    Result<std::size_t> written = fail(Errc::local_fault, "the export did not end");
    if (config.database.embedded() || !config.database.of("control").owner_dsn.empty()) {
        db::Database database{io.get_executor(), tier_dsns(config.database, dir, DatabaseRole::owner),
                              pool_options(config.database), metrics};
        asio::co_spawn(io, write_audit(database.control, std::cout),
                       [&](const std::exception_ptr& thrown, Result<std::size_t> ended) {
                           if (!thrown) written = std::move(ended);
                           database.close();
                           io.stop();
                       });
        io.run();
    } else {
        written = fail(Errc::missing, "no owner_dsn for the tier control: the export needs the owner of the schema");
    }
    std::cout.flush();
    if (written && std::cout) return 0;
    log::error("daemon", "audit_not_exported",
               {{"why", written ? "the output takes no more" : written.error().detail}});
    return 1;
}

int verify_audit(std::istream& in, const std::string& head, std::ostream& out)
{
    std::optional<audit::Head> expected;
    if (!head.empty()) {
        const Result<audit::Head> parsed = audit::Head::parse(head);
        if (!parsed) return refuse(out, "--head: " + parsed.error().detail);
        expected = *parsed;
    }
    audit::ChainCheck check{expected};
    std::optional<audit::ChainFault> fault;
    std::string line;
    while (!fault && next_line(in, line)) {
        const Result<audit::AuditRecord> record = audit::parse_record(line);
        fault = record ? check.take(*record)
                       : audit::ChainFault{check.head().seq + 1, "no record: " + record.error().detail};
    }
    if (in.bad()) return refuse(out, "the input cannot be read");
    if (!fault) fault = check.end();
    if (fault) return refuse(out, fmt::format("record {}: {}", fault->seq, fault->what));
    fmt::print(out, "{0} records, whole from 1 to {0}, head {1}\n", check.head().seq, check.head().text());
    return 0;
}

int run_audit_verify(const std::string& file, const std::string& head)
{
    if (file.empty() || file == "-") return verify_audit(std::cin, head, std::cout);
    std::ifstream in{file};
    if (!in) return refuse(std::cout, file + ": cannot be read");
    return verify_audit(in, head, std::cout);
}

} // namespace penguin::control
