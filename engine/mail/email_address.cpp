#include "engine/mail/email_address.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace penguin {

namespace {

constexpr std::size_t kLocalPartMax = 64;
constexpr std::size_t kAddressMax = 254;

bool is_atext(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80) return true;
    return std::string_view{"!#$%&'*+-/=?^_`{|}~"}.contains(static_cast<char>(c));
}

bool is_dot_string(std::string_view text)
{
    if (text.empty() || text.front() == '.' || text.back() == '.' || text.contains("..")) return false;
    return std::ranges::all_of(text, [](unsigned char c) { return c == '.' || is_atext(c); });
}

bool is_quoted_string(std::string_view text)
{
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    const std::string_view inside = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < inside.size(); ++i) {
        const auto c = static_cast<unsigned char>(inside[i]);
        if (c < 0x20 || c == 0x7F || c == '"') return false;
        if (c == '\\') {
            if (++i == inside.size()) return false;
            const auto escaped = static_cast<unsigned char>(inside[i]);
            if (escaped < 0x20 || escaped >= 0x7F) return false;
        }
    }
    return true;
}

} // namespace

Result<EmailAddress> EmailAddress::parse(std::string_view text)
{
    const auto at = text.rfind('@');
    if (at == std::string_view::npos) return fail(Errc::bad_address, "no @");
    const std::string_view local_part = text.substr(0, at);
    if (local_part.empty()) return fail(Errc::bad_address, "no local part");
    if (local_part.size() > kLocalPartMax) return fail(Errc::too_long, "local part over 64 octets");
    if (!is_utf8(local_part)) return fail(Errc::bad_address, "local part is not UTF-8");
    if (!is_dot_string(local_part) && !is_quoted_string(local_part))
        return fail(Errc::bad_address, "local part is neither a dot-string nor a quoted string");
    Result<DomainName> domain = DomainName::parse(text.substr(at + 1));
    if (!domain) return std::unexpected{domain.error()};
    if (local_part.size() + 1 + domain->text().size() > kAddressMax)
        return fail(Errc::too_long, "address over 254 octets");
    return EmailAddress{std::string{local_part}, std::move(*domain)};
}

std::string EmailAddress::folded() const
{
    std::string out = text();
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return out;
}

bool EmailAddress::needs_smtputf8() const noexcept
{
    return std::ranges::any_of(local_part_, [](unsigned char c) { return c >= 0x80; });
}

} // namespace penguin
