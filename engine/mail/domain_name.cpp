#include "engine/mail/domain_name.h"

#include <algorithm>
#include <cstdlib>

#include <idn2.h>

namespace penguin {

namespace {

constexpr std::size_t kNameMax = 253;
constexpr std::size_t kLabelMax = 63;

bool is_label_octet(char c, bool underscore)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (underscore && c == '_');
}

Result<std::string> to_a_labels(std::string_view text)
{
    const bool ascii = std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
    if (ascii) {
        std::string lower{text};
        std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
        return lower;
    }
    char* out = nullptr;
    const int status = idn2_to_ascii_8z(std::string{text}.c_str(), &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (status != IDN2_OK) return fail(Errc::bad_address, std::string{"domain: "} + idn2_strerror(status));
    std::string ascii_name{out};
    std::free(out);
    return ascii_name;
}

Result<std::string> checked(std::string_view text, bool underscore)
{
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty()) return fail(Errc::bad_address, "domain: empty");
    if (text.size() > 4 * kNameMax) return fail(Errc::too_long, "domain: over 253 octets");
    if (text.contains('\0')) return fail(Errc::bad_address, "domain: an octet that is not allowed");
    Result<std::string> name = to_a_labels(text);
    if (!name) return name;
    if (name->size() > kNameMax) return fail(Errc::too_long, "domain: over 253 octets");
    std::size_t start = 0;
    while (start <= name->size()) {
        const std::size_t dot = std::min(name->find('.', start), name->size());
        const std::string_view label = std::string_view{*name}.substr(start, dot - start);
        if (label.empty()) return fail(Errc::bad_address, "domain: empty label");
        if (label.size() > kLabelMax) return fail(Errc::too_long, "domain: label over 63 octets");
        if (label.front() == '-' || label.back() == '-')
            return fail(Errc::bad_address, "domain: label starts or ends with a hyphen");
        if (!std::ranges::all_of(label, [&](char c) { return is_label_octet(c, underscore); }))
            return fail(Errc::bad_address, "domain: an octet that is not allowed");
        start = dot + 1;
    }
    return name;
}

} // namespace

Result<DomainName> DomainName::parse(std::string_view text)
{
    Result<std::string> name = checked(text, false);
    if (!name) return std::unexpected{name.error()};
    return DomainName{std::move(*name)};
}

Result<DomainName> DomainName::parse_record_name(std::string_view text)
{
    Result<std::string> name = checked(text, true);
    if (!name) return std::unexpected{name.error()};
    return DomainName{std::move(*name)};
}

bool DomainName::is_or_is_below(const DomainName& parent) const
{
    if (text_ == parent.text_) return true;
    return text_.size() > parent.text_.size() && text_.ends_with(parent.text_) &&
           text_[text_.size() - parent.text_.size() - 1] == '.';
}

} // namespace penguin
