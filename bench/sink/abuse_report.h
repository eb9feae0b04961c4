// bench/sink/abuse_report.h
// A complaint as providers send it: a report of type abuse in the Abuse Reporting Format. Does no I/O.
//
//   in      Complaint: about one message to one recipient
//   out     a whole message with CRLF line ends: text for people, message/feedback-report, the original header as
//           text/rfc822-headers
//   limits  the header is as long as it is; addresses that are not ASCII are left out of the feedback report
//   source  RFC 5965, RFC 6522 (multipart/report)
#pragma once

#include <string>
#include <string_view>

#include "engine/base/clock.h"

namespace penguin::bench {

struct Complaint {
    std::string provider;       // name of the profile
    std::string from;           // who reports
    std::string to;             // may be empty: then the report has no To
    std::string reporting_host; // a domain
    std::string source_ip;
    std::string mail_from; // "": the empty sender
    std::string recipient; // who complained
    std::string_view text; // of the message, at least its header
    WallTime arrived;
    std::uint64_t number = 0; // of the report, for its Message-ID
    bool redact = true;       // the recipient is not told, nor found in the header
};

// The header of a message, its last line end included, without the empty line behind it.
std::string_view header_of(std::string_view message);

std::string abuse_report(const Complaint& complaint);

} // namespace penguin::bench
