// Addresses and domain names of anybody: what is taken is one thing however often it is read, and safe where it is written.
#include <cassert>

#include "engine/mail/email_address.h"

using namespace penguin;

namespace {

void check(const DomainName& domain, std::string_view more)
{
    const std::string& text = domain.text();
    assert(!text.empty() && text.size() <= 253 && text.front() != '.' && text.back() != '.');
    std::size_t label = 0;
    for (const char c : text) {
        assert((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || more.contains(c));
        label = c == '.' ? 0 : label + 1;
        assert(label <= 63);
    }
    assert(domain.is_or_is_below(domain));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const Result<DomainName> domain = DomainName::parse(text)) {
        check(*domain, "");
        const Result<DomainName> again = DomainName::parse(domain->text());
        assert(again && *again == *domain);
        const Result<DomainName> record = DomainName::parse_record_name(domain->text());
        assert(record && record->text() == domain->text());
    }
    if (const Result<DomainName> record = DomainName::parse_record_name(text)) {
        check(*record, "_");
        const Result<DomainName> again = DomainName::parse_record_name(record->text());
        assert(again && *again == *record);
    }
    const Result<EmailAddress> address = EmailAddress::parse(text);
    if (!address) return 0;
    check(address->domain(), "");
    assert(address->text().size() <= 254 && address->local_part().size() <= 64);
    for (const char c : address->text()) assert(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    const Result<EmailAddress> again = EmailAddress::parse(address->text());
    assert(again && *again == *address);
    const Result<EmailAddress> folded = EmailAddress::parse(address->folded());
    assert(folded && folded->folded() == address->folded());
    return 0;
}
