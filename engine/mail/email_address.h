// engine/mail/email_address.h
// One mailbox of RFC 5321 4.1.2, without display name. Safe to put between < and > in MAIL and RCPT.
//
//   in      dot-string or quoted-string local part; UTF-8 in it as RFC 6531 allows; no address literal, no source route
//   out     local part as given (its case is the receiver's business), domain as DomainName
//   limits  64 octets local part, 254 in all (RFC 5321 4.5.3.1)
//   errors  bad_address, too_long
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "engine/mail/domain_name.h"

namespace penguin {

class EmailAddress {
public:
    static Result<EmailAddress> parse(std::string_view text);

    const std::string& local_part() const noexcept { return local_part_; }
    const DomainName& domain() const noexcept { return domain_; }
    std::string text() const { return local_part_ + "@" + domain_.text(); }
    // What two spellings of one person share: lower case. For duplicates and suppression, never for sending.
    std::string folded() const;
    bool needs_smtputf8() const noexcept;
    friend auto operator<=>(const EmailAddress&, const EmailAddress&) = default;

private:
    EmailAddress(std::string local_part, DomainName domain)
        : local_part_{std::move(local_part)},
          domain_{std::move(domain)}
    {
    }
    std::string local_part_;
    DomainName domain_;
};

} // namespace penguin

template <>
struct std::hash<penguin::EmailAddress> {
    std::size_t operator()(const penguin::EmailAddress& address) const noexcept
    {
        return std::hash<std::string>{}(address.local_part()) * 31 ^ std::hash<penguin::DomainName>{}(address.domain());
    }
};
