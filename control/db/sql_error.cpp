#include "control/db/sql_error.h"

namespace penguin::control::db {

Errc errc_of(std::string_view sqlstate)
{
    const std::string_view klass = sqlstate.substr(0, 2);
    if (sqlstate == "57014") return Errc::timeout;
    if (sqlstate == "42501" || klass == "28") return Errc::denied;
    if (sqlstate == "23502" || sqlstate == "23514" || klass == "22") return Errc::bad_value;
    if (klass == "23") return Errc::conflict;
    if (klass == "54") return Errc::too_long;
    // No answer, connection exception, insufficient resources, operator intervention, its system's errors (I/O), rollback
    // for concurrency, lock not available, a standby where the primary was (25006).
    if (sqlstate.empty() || klass == "08" || klass == "53" || klass == "57" || klass == "58" || klass == "40" ||
        sqlstate == "55P03" || sqlstate == "25006")
        return Errc::unavailable;
    return Errc::local_fault;
}

bool repeatable(const SqlFailure& failure)
{
    return failure.lost || failure.sqlstate == "40001" || failure.sqlstate == "40P01";
}

} // namespace penguin::control::db
