// dkim/opendkim_verifier.h
// libopendkim as the judge of our signatures and of mail from outside. It never does a look-up: the caller brings the
// published keys. Nothing else of the project includes its header.
//
//   in       a whole message with CRLF line ends; the TXT record of each key name, as DNS has it
//   out      one verdict a DKIM-Signature field, in the order of the fields
//   limits   kSignaturesMax signatures are looked at
//   errors   malformed (libopendkim cannot read the message: detail has its words), local_fault
//   threads  any: one library handle, no state of ours
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace penguin::dkim {

inline constexpr std::size_t kSignaturesMax = 16;

// What a DKIM-Signature field says of its key: s= and d=, lower case.
struct SignatureName {
    std::string selector;
    std::string domain;
    std::string dns_name() const { return selector + "._domainkey." + domain; }
    friend auto operator<=>(const SignatureName&, const SignatureName&) = default;
};

// dns_name -> TXT record. A name that is not there is published nowhere.
using PublishedKeys = std::map<std::string, std::string, std::less<>>;

struct SignatureVerdict {
    SignatureName name;
    bool valid = false;
    std::string reason; // libopendkim's words; empty when valid
};

class OpendkimVerifier {
public:
    OpendkimVerifier();
    ~OpendkimVerifier();
    OpendkimVerifier(const OpendkimVerifier&) = delete;
    OpendkimVerifier& operator=(const OpendkimVerifier&) = delete;

    Result<std::vector<SignatureVerdict>> verify(std::string_view message, const PublishedKeys& keys) const;

private:
    struct Library;
    std::unique_ptr<Library> library_;
};

} // namespace penguin::dkim
