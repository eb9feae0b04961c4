#include "bench/sink/abuse_report.h"

#include <algorithm>

#include "bench/sink/lot.h"

namespace penguin::bench {

namespace {

bool is_ascii(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string hex(std::uint64_t number)
{
    std::string out(16, '0');
    for (auto digit = out.rbegin(); digit != out.rend(); ++digit, number >>= 4)
        *digit = "0123456789abcdef"[number & 0xFU];
    return out;
}

// One that does not stand in the header.
std::string boundary_for(std::string_view header)
{
    std::string boundary = "report-" + hex(hash_of(0, {header}));
    while (header.contains(boundary)) boundary += 'x';
    return boundary;
}

std::string header_told(const Complaint& complaint)
{
    std::string header{header_of(complaint.text)};
    if (!complaint.redact || complaint.recipient.empty()) return header;
    constexpr std::string_view kInstead = "redacted";
    for (std::size_t at = 0; (at = header.find(complaint.recipient, at)) != std::string::npos; at += kInstead.size())
        header.replace(at, complaint.recipient.size(), kInstead);
    return header;
}

std::string feedback_of(const Complaint& complaint)
{
    std::string out = "Feedback-Type: abuse\r\n"
                      "User-Agent: penguin-bench-sink/1\r\n"
                      "Version: 1\r\n";
    if (is_ascii(complaint.mail_from)) out += "Original-Mail-From: <" + complaint.mail_from + ">\r\n";
    if (!complaint.redact && is_ascii(complaint.recipient))
        out += "Original-Rcpt-To: <" + complaint.recipient + ">\r\n";
    out += "Arrival-Date: " + to_rfc5322(complaint.arrived) + "\r\n";
    out += "Reporting-MTA: dns; " + complaint.reporting_host + "\r\n";
    out += "Source-IP: " + complaint.source_ip + "\r\n";
    return out;
}

std::string part(std::string_view boundary, std::string_view type, std::string_view content)
{
    std::string out = "--";
    out += boundary;
    out += "\r\nContent-Type: ";
    out += type;
    out += is_ascii(content) ? "\r\n\r\n" : "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    out += content;
    out += "\r\n"; // belongs to the boundary that follows (RFC 2046 5.1.1)
    return out;
}

} // namespace

std::string_view header_of(std::string_view message)
{
    if (message.starts_with("\r\n")) return {};
    const std::size_t end = message.find("\r\n\r\n");
    return end == std::string_view::npos ? message : message.substr(0, end + 2);
}

std::string abuse_report(const Complaint& complaint)
{
    const std::string header = header_told(complaint);
    const std::string boundary = boundary_for(header);
    std::string out = "From: <" + complaint.from + ">\r\n";
    if (!complaint.to.empty()) out += "To: <" + complaint.to + ">\r\n";
    out += "Date: " + to_rfc5322(complaint.arrived) + "\r\n";
    out += "Subject: Abuse report about " + complaint.source_ip + "\r\n";
    out += "Message-ID: <abuse-" + std::to_string(complaint.number) + "." +
           std::to_string(to_unix_ms(complaint.arrived)) + "@" + complaint.reporting_host + ">\r\n";
    out += "MIME-Version: 1.0\r\n"
           "Content-Type: multipart/report; report-type=feedback-report;\r\n boundary=\"" +
           boundary + "\"\r\n\r\n";
    out += part(boundary, "text/plain; charset=us-ascii",
                "A user of " + complaint.provider + " reported this message, which came from " + complaint.source_ip +
                    ", as unwanted.\r\n");
    out += part(boundary, "message/feedback-report", feedback_of(complaint));
    out += part(boundary, "text/rfc822-headers", header);
    return out + "--" + boundary + "--\r\n";
}

} // namespace penguin::bench
