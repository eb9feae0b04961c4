// bench/harness/letters.h
// The mail that is submitted: messages of a given size, and bodies of POST /v1/batches with recipients over all domains.
#pragma once

#include <cstdint>
#include <string>

namespace penguin::bench {

struct LetterOptions {
    std::size_t size = 10'240;  // octets of a message as submitted, CRLF line ends
    bool signed_before = false; // carries a DKIM-Signature of its domain, so that the engine adds none
    bool distinct = false;      // each recipient's message has a number in its subject and its body
    std::string mark;           // in the subject: makes it another message than one without
};

// A whole message from an address of `domain`. Of a size too small for its header it is as small as it can be.
std::string letter(const std::string& domain, const LetterOptions& options);

// Recipient number n: u<n> at recipient domain n % domains.
std::string recipient_address(std::size_t number, std::size_t domains);

// What a distinct letter is for recipient number n.
std::string letter_for(std::string letter, std::size_t number);

// `count` recipients, numbered from `first`. `mailbox`: a UUID, "" for none.
std::string batch_body(const std::string& message, bool distinct, std::size_t first, std::size_t count,
                       std::size_t domains, const std::string& mailbox = {});

// A body of POST /api/inject/v1 for recipient number `number` alone.
std::string inject_body(const std::string& sender, const std::string& message, std::size_t number, std::size_t domains);

} // namespace penguin::bench
