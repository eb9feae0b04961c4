// control/http/exchange.h
// One request without its connection: from the parsed head to the answer. The session reads and writes, this decides.
//
//   admit   head -> Admitted (which route, how much body may come), or the problem, before any of the body is read
//   answer  runs the handler, with its deadline; a fault in it becomes internal_error and a line in the log
//           a proved credential that may not make the call is told to `events`
//   note    the access line and the metrics
#pragma once

#include <expected>
#include <string>

#include "control/audit/security_events.h"
#include "control/http/server.h"

namespace penguin::control::http {

struct Head {
    std::string method;
    std::string target;
    unsigned version = 11; // 10 or 11
    Fields fields;
    asio::ip::address peer;
};

struct Admitted {
    const Route* route = nullptr; // nothing: `ready` holds the answer (OPTIONS)
    Request request;
    std::size_t body_max = 0;
    bool continue_wanted = false; // Expect: 100-continue
    Response ready;
};

// What one exchange leaves for log and metrics, whatever its end.
struct Trace {
    std::string id; // of the request
    std::string method = "-";
    std::string route = "-"; // pattern: a path may hold an address
    std::string tenant;
    std::string subject;
    unsigned status = 0;
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

class Exchange {
public:
    Exchange(const Router& router, Authenticator& authenticator, audit::SecurityEvents& events, Registry& metrics,
             const ServerLimits& limits)
        : router_{router},
          authenticator_{authenticator},
          events_{events},
          metrics_{metrics},
          limits_{limits}
    {
    }

    awaitable<std::expected<Admitted, Problem>> admit(Head head, Trace& trace);
    awaitable<Response> answer(const Admitted& admitted, const Trace& trace);
    void note(const Trace& trace) const;

private:
    void tell_denied(const Head& head, const Trace& trace, const Principal& principal, Code why) const;

    const Router& router_;
    Authenticator& authenticator_;
    audit::SecurityEvents& events_;
    Registry& metrics_;
    const ServerLimits& limits_;
};

// Status line and header fields of a response, up to the empty line.
std::string head_text(const Response& response, std::string_view request_id, bool keep_alive, WallTime now);

} // namespace penguin::control::http
