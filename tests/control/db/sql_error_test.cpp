#include "control/db/sql_error.h"

#include <gtest/gtest.h>

namespace penguin::control::db {
namespace {

struct StateCase {
    const char* sqlstate;
    Errc code;
    bool repeatable;
};

constexpr StateCase kStates[] = {
    {"23505", Errc::conflict, false},    {"23503", Errc::conflict, false},    {"23514", Errc::bad_value, false},
    {"23502", Errc::bad_value, false},   {"22P02", Errc::bad_value, false},   {"42501", Errc::denied, false},
    {"28P01", Errc::denied, false},      {"57014", Errc::timeout, false},     {"57P01", Errc::unavailable, false},
    {"08006", Errc::unavailable, false}, {"53300", Errc::unavailable, false}, {"25006", Errc::unavailable, false},
    {"55P03", Errc::unavailable, false}, {"40001", Errc::unavailable, true},  {"40P01", Errc::unavailable, true},
    {"54000", Errc::too_long, false},    {"42P01", Errc::local_fault, false}, {"42601", Errc::local_fault, false},
    {"53100", Errc::unavailable, false}, {"53200", Errc::unavailable, false}, {"58000", Errc::unavailable, false},
    {"58030", Errc::unavailable, false}, {"58P01", Errc::unavailable, false}, {"", Errc::unavailable, false},
};

TEST(SqlError, EachClassHasItsMeaning)
{
    for (const StateCase& state : kStates) {
        EXPECT_EQ(errc_of(state.sqlstate), state.code) << state.sqlstate;
        EXPECT_EQ(repeatable(SqlFailure{state.sqlstate, "", false}), state.repeatable) << state.sqlstate;
    }
    EXPECT_TRUE(repeatable(SqlFailure{"", "", true}));
}

} // namespace
} // namespace penguin::control::db
