// tests/control/api/statement_log.h
// What our calls say to PostgreSQL, as its log has it: every statement of the extended protocol, which is ours alone (the helpers
// of the tests use the simple one). The server writes a statement down before it answers, so after a call all of it is there.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "tests/support/postgres_server.h"

namespace penguin::control::api::test {

struct Logged {
    std::string sql;
    std::string parameters; // as EXECUTE takes them: "'a', NULL"; "" for none
    friend auto operator<=>(const Logged&, const Logged&) = default;
};

// Whether it only opens or ends a transaction, or says who asks.
bool sets_the_scene(const std::string& sql);

class StatementLog {
public:
    // Has everything logged from now on, to the end of this object.
    StatementLog(penguin::test::PostgresServer& postgres, const std::string& database);
    ~StatementLog();
    StatementLog(const StatementLog&) = delete;
    StatementLog& operator=(const StatementLog&) = delete;

    // What was said since the last call, in its order.
    std::vector<Logged> news();

private:
    penguin::test::PostgresServer& postgres_;
    std::size_t read_ = 0; // octets of the log
};

} // namespace penguin::control::api::test
