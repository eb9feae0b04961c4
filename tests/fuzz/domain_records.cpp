// SPF, DKIM and DMARC texts from strangers' zones: judged without a fault, and `ok` only for what really is.
#include "control/domains/record_rules.h"
#include "tests/fuzz/check.h"

namespace {

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

DomainSetup setup(bool include)
{
    DomainSetup setup{
        .domain = domain("example.com"),
        .bounce_host = domain("b.example.com"),
        .bounce_mx = domain("bounces.sender.example"),
        .dkim = {{"pm1", DkimAlgorithm::rsa, "QUJD"}},
        .sending_addresses = {boost::asio::ip::make_address("192.0.2.1"), boost::asio::ip::make_address("2001:db8::1")},
        .spf_include = std::nullopt,
        .dmarc_reports = std::nullopt};
    if (include) setup.spf_include = domain("spf.sender.example");
    return setup;
}

// Lines of the input are the records of a name.
std::vector<std::string> records_of(std::string_view text)
{
    std::vector<std::string> records;
    while (records.size() < 4) {
        const auto end = std::min(text.find('\n'), text.size());
        records.emplace_back(text.substr(0, end));
        if (end == text.size()) break;
        text.remove_prefix(end + 1);
    }
    return records;
}

void check_judgement(const Judgement& judgement)
{
    check(judgement.status != RecordStatus::error);
    check((judgement.status == RecordStatus::missing) == judgement.found.empty());
    if (judgement.status == RecordStatus::ok)
        check(judgement.found.size() == 1);
    else
        check(!judgement.detail.empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const DomainSetup kPlain = setup(false);
    static const DomainSetup kInclude = setup(true);
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const std::vector<std::string> records = records_of(text);
    check_judgement(judge_spf(records, kPlain));
    check_judgement(judge_spf(records, kInclude));
    const Judgement dkim = judge_dkim(records, kPlain.dkim.front());
    check_judgement(dkim);
    if (dkim.status == RecordStatus::ok) check(text.find('p') != std::string_view::npos);
    check_judgement(judge_dmarc(records));
    const auto tags = parse_tags(text);
    if (tags) check(tags->size() <= kTagsMax);
    txt_presentation(text);
    return 0;
}
