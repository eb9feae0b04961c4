// engine/mail/domain_name.h
// A host or mail domain of the DNS. Once parsed, it is safe in a look-up, a command and a header.
//
//   in      A-labels or U-labels in UTF-8 (IDNA 2008, non-transitional), either case, with or without one final dot
//   out     A-labels, lower case, no final dot
//   limits  253 octets, 63 a label (RFC 1035 2.3.4); letters, digits, hyphen (RFC 5321 4.1.2), underscore only where
//           a name of records asks for it (parse_record_name)
//   errors  bad_address, too_long
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin {

class DomainName {
public:
    static Result<DomainName> parse(std::string_view text);
    // Also takes labels such as _dmarc and s1._domainkey.
    static Result<DomainName> parse_record_name(std::string_view text);

    const std::string& text() const noexcept { return text_; }
    bool is_or_is_below(const DomainName& parent) const;
    friend auto operator<=>(const DomainName&, const DomainName&) = default;

private:
    explicit DomainName(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

} // namespace penguin

template <>
struct std::hash<penguin::DomainName> {
    std::size_t operator()(const penguin::DomainName& name) const noexcept
    {
        return std::hash<std::string>{}(name.text());
    }
};
