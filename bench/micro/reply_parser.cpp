#include "engine/smtp/reply_parser.h"

#include "bench/micro/octets.h"

namespace penguin::bench::micro {

namespace {

using smtp::ReplyParser;

void parse_all(benchmark::State& state, std::string_view stream)
{
    for (auto step : state) {
        ReplyParser parser;
        std::string_view left = stream;
        while (!left.empty()) benchmark::DoNotOptimize(parser.take(left));
    }
    processed(state, stream.size());
}

constexpr std::string_view kTaken = "250 2.0.0 Ok: queued as 4F1B2C3D5E\r\n";
constexpr std::string_view kEhlo = "250-mx.example.com at your service, [192.0.2.1]\r\n250-SIZE 157286400\r\n"
                                   "250-8BITMIME\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n"
                                   "250-CHUNKING\r\n250 SMTPUTF8\r\n";
constexpr std::string_view kFlight = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n";
constexpr std::string_view kRefusal =
    "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n"
    "550-5.7.26 The receiver asks all senders to authenticate with either SPF or DKIM.\r\n"
    "550-5.7.26 For more, go to https://support.example.com/mail/answer/81126\r\n"
    "550 5.7.26 d2e1a72fcca58-7243f9a1b2csi123456b3a.123 - smtp\r\n";

BENCHMARK_CAPTURE(parse_all, taken, kTaken)->Name("reply_parser/taken");
BENCHMARK_CAPTURE(parse_all, ehlo, kEhlo)->Name("reply_parser/ehlo");
BENCHMARK_CAPTURE(parse_all, flight, kFlight)->Name("reply_parser/flight_of_three");
BENCHMARK_CAPTURE(parse_all, refusal, kRefusal)->Name("reply_parser/refusal_of_four_lines");

} // namespace

} // namespace penguin::bench::micro
