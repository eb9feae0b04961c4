#include "bench/micro/octets.h"
#include "engine/mail/named_address.h"

namespace penguin::bench::micro {

namespace {

template <class Parse>
void parse_text(benchmark::State& state, Parse parse, std::string_view text)
{
    for (auto step : state) benchmark::DoNotOptimize(parse(text));
    processed(state, text.size());
}

const auto kDomain = [](std::string_view text) { return DomainName::parse(text); };
const auto kAddress = [](std::string_view text) { return EmailAddress::parse(text); };
const auto kNamed = [](std::string_view text) { return parse_named_address(text); };

BENCHMARK_CAPTURE(parse_text, domain, kDomain, "mail.customer-17.example")->Name("address/domain");
BENCHMARK_CAPTURE(parse_text, idn, kDomain,
                  "b\xC3\xBC"
                  "cher.example")
    ->Name("address/domain_idn");
BENCHMARK_CAPTURE(parse_text, address, kAddress, "ann.other@customer-17.example")->Name("address/mailbox");
BENCHMARK_CAPTURE(parse_text, quoted, kAddress, "\"ann other\"@customer-17.example")->Name("address/mailbox_quoted");
BENCHMARK_CAPTURE(parse_text, named, kNamed, "\"Other, Ann\" <ann.other@customer-17.example>")->Name("address/named");
BENCHMARK_CAPTURE(parse_text, encoded, kNamed, "=?utf-8?q?Zo=C3=AB_Other?= <zoe@customer-17.example>")
    ->Name("address/named_encoded");

} // namespace

} // namespace penguin::bench::micro
