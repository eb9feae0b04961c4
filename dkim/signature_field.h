// dkim/signature_field.h
// Makes DKIM-Signature fields of a message: hashes it once, signs that with each key.
//
//   in       a message seen by view_message; an opened key
//   out      the field, folded below 78 octets, CRLF; h= has every field of the signed kind, and the over-signed once
//   more errors   local_fault (OpenSSL) source   RFC 6376 3.5, 3.7, 5.4, 8.15; RFC 8463 3
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dkim/canonical.h"
#include "dkim/key_pair.h"

namespace penguin::dkim {

struct FieldRequest {
    Algorithm algorithm{};
    std::string_view domain;
    std::string_view selector;
    EVP_PKEY* key = nullptr;
    std::int64_t signed_at = 0;  // t=, Unix seconds
    std::int64_t expires_at = 0; // x=; 0: none
};

// The hashes that all signatures of one message share.
class MessageDigest {
public:
    static Result<MessageDigest> of(const MessageView& message);

    Result<std::string> sign(const FieldRequest& request) const;

private:
    std::string names_;     // of h=, with colons, not folded
    std::string canonical_; // the signed fields, canonical
    std::string body_hash_; // base64
};

} // namespace penguin::dkim
