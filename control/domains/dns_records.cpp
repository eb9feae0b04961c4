#include "control/domains/dns_records.h"

#include <algorithm>
#include <set>

namespace penguin::control {

namespace {

constexpr int kMxPreference = 10;

// Base64 of RFC 4648 without white space: goes into a record as it is.
bool is_base64(std::string_view text)
{
    const auto data = text.substr(0, text.find('='));
    const auto padding = text.substr(data.size());
    const auto is_digit = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    };
    return !data.empty() && text.size() % 4 == 0 && (padding.empty() || padding == "=" || padding == "==") &&
           std::ranges::all_of(data, is_digit);
}

Result<> check(const DomainSetup& setup)
{
    if (!setup.bounce_host.is_or_is_below(setup.domain))
        return fail(Errc::bad_value,
                    "bounce_host: must be the domain or below it, else SPF does not align (RFC 7489 3.1.2)");
    if (setup.bounce_mx.is_or_is_below(setup.bounce_host))
        return fail(Errc::bad_value, "bounce_mx: our own host, not one below bounce_host");
    if (setup.dkim.empty()) return fail(Errc::bad_value, "dkim: the domain has no key");
    if (setup.dkim.size() > kDkimKeysMax) return fail(Errc::bad_value, "dkim: more than 16 keys");
    if (setup.sending_addresses.size() > kSendingAddressesMax)
        return fail(Errc::bad_value, "sending_addresses: more than 256; use spf_include");
    if (setup.sending_addresses.empty() && !setup.spf_include)
        return fail(Errc::bad_value, "sending_addresses: there is nothing that SPF could name");
    return {};
}

std::string spf_value(const DomainSetup& setup)
{
    std::string value = "v=spf1";
    if (setup.spf_include) {
        value += " include:" + setup.spf_include->text();
    } else {
        // Sorted and once each, so that the record stays the same when addresses come in another order.
        const std::set<boost::asio::ip::address> addresses(setup.sending_addresses.begin(),
                                                           setup.sending_addresses.end());
        for (const auto& address : addresses) value += (address.is_v4() ? " ip4:" : " ip6:") + address.to_string();
    }
    return value + " ~all";
}

std::string dmarc_value(const DomainSetup& setup)
{
    // Relaxed alignment is the default of DMARC, and what return paths on a host below the domain need.
    std::string value = "v=DMARC1; p=none";
    if (setup.dmarc_reports) value += "; rua=mailto:" + setup.dmarc_reports->text();
    return value;
}

DnsRecord txt_record(RecordPurpose purpose, DomainName name, std::string value)
{
    std::string presentation = txt_presentation(value);
    return {purpose, RecordType::txt, std::move(name), std::move(value), std::move(presentation), true};
}

Result<DnsRecord> dkim_record(const DomainSetup& setup, const DkimRecord& key)
{
    Result<DomainName> name = DomainName::parse_record_name(key.selector + "._domainkey." + setup.domain.text());
    if (!name) return fail(Errc::bad_value, "dkim selector " + key.selector + ": " + name.error().detail);
    if (!is_base64(key.public_key_base64))
        return fail(Errc::bad_value, "dkim selector " + key.selector + ": the public key is not base64");
    std::string value = "v=DKIM1; k=" + std::string{name_of(key.algorithm)} + "; p=" + key.public_key_base64;
    return txt_record(RecordPurpose::dkim, std::move(*name), std::move(value));
}

} // namespace

std::string_view name_of(RecordType type)
{
    switch (type) {
    case RecordType::txt: return "TXT";
    case RecordType::mx: return "MX";
    }
    return "";
}

std::string_view name_of(RecordPurpose purpose)
{
    switch (purpose) {
    case RecordPurpose::spf: return "spf";
    case RecordPurpose::dkim: return "dkim";
    case RecordPurpose::dmarc: return "dmarc";
    case RecordPurpose::return_path_mx: return "return_path_mx";
    case RecordPurpose::return_path_spf: return "return_path_spf";
    }
    return "";
}

std::string_view name_of(DkimAlgorithm algorithm)
{
    switch (algorithm) {
    case DkimAlgorithm::rsa: return "rsa";
    case DkimAlgorithm::ed25519: return "ed25519";
    }
    return "";
}

Result<std::vector<DnsRecord>> records_to_publish(const DomainSetup& setup)
{
    const Result<> sound = check(setup);
    if (!sound) return std::unexpected{sound.error()};
    std::vector<DnsRecord> records;
    records.push_back(txt_record(RecordPurpose::spf, setup.domain, spf_value(setup)));
    for (const DkimRecord& key : setup.dkim) {
        Result<DnsRecord> record = dkim_record(setup, key);
        if (!record) return std::unexpected{record.error()};
        records.push_back(std::move(*record));
    }
    Result<DomainName> dmarc_name = DomainName::parse_record_name("_dmarc." + setup.domain.text());
    if (!dmarc_name) return fail(Errc::bad_value, "domain: too long for _dmarc in front of it");
    records.push_back(txt_record(RecordPurpose::dmarc, std::move(*dmarc_name), dmarc_value(setup)));
    records.back().required = false;
    const std::string mx = std::to_string(kMxPreference) + " " + setup.bounce_mx.text();
    records.push_back({RecordPurpose::return_path_mx, RecordType::mx, setup.bounce_host, mx, mx + ".", true});
    if (setup.bounce_host != setup.domain)
        records.push_back(txt_record(RecordPurpose::return_path_spf, setup.bounce_host, spf_value(setup)));
    return records;
}

std::string txt_presentation(std::string_view value)
{
    std::string text;
    do {
        const std::string_view part = value.substr(0, kTxtStringMax);
        value.remove_prefix(part.size());
        text += text.empty() ? "\"" : " \"";
        for (const char c : part) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    } while (!value.empty());
    return text;
}

} // namespace penguin::control
