// control/db/sql_error.h
// What PostgreSQL's SQLSTATE means to us. Code branches on Errc and, where that is too coarse, on SqlFailure.
//
//   conflict     unique, foreign-key or exclusion violation
//   bad_value    a value that the column or a check does not take
//   denied       row-level security or a missing grant said no
//   timeout      a statement ran out of time (57014)
//   unavailable  connection lost, server starting, stopping, full, read-only or with a failing disk; also a conflict of
//                concurrent transactions that outlived its repeats
//   local_fault  anything else: a statement of ours is wrong
//   source       PostgreSQL 15, appendix A
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::control::db {

struct SqlFailure {
    std::string sqlstate;   // five characters; "" when the server did not answer
    std::string constraint; // the name of the constraint that was violated, or ""
    bool lost = false;      // the connection is gone
};

Errc errc_of(std::string_view sqlstate);

// The transaction did nothing and may do better when it is run again (serialization failure, deadlock, lost connection
// before COMMIT was sent).
bool repeatable(const SqlFailure& failure);

} // namespace penguin::control::db
