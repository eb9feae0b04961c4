// tests/dkim/random_message.h
// Messages that try a canonicaliser: folds, blanks in odd places, repeated fields, empty lines, 8-bit octets. One number, one
// message: a failure can be seen again.
#pragma once

#include <algorithm>
#include <random>
#include <string>

namespace penguin::dkim::tests {

class RandomMessage {
public:
    explicit RandomMessage(unsigned seed) : random_{seed} {}

    std::string make()
    {
        std::string out = field("From", "Sales <sales@example.com>") + field("Date", "Tue, 24 Nov 2026 04:29:07 +0000");
        out += field("To", "a" + std::to_string(below(1000)) + "@example.org");
        out += field("Subject", words(below(12) + 1));
        for (const char* name : {"Message-ID", "reply-to", "CC", "MIME-Version", "Content-Type", "List-Unsubscribe",
                                 "X-Own", "X-Own", "Received", "In-Reply-To", "References", "List-Id", "Subject"})
            if (below(2) == 0) out += field(name, words(below(20) + 1));
        out += "\r\n";
        return out + body();
    }

private:
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    std::string blank() { return std::string(below(3) + 1, below(3) == 0 ? '\t' : ' '); }

    std::string word(unsigned first, unsigned last)
    {
        std::string out;
        const unsigned size = below(12) + 1;
        for (unsigned i = 0; i < size; ++i) out += static_cast<char>(first + below(last - first + 1));
        return out;
    }

    std::string words(unsigned count)
    {
        std::string out = word('a', 'z');
        for (unsigned i = 1; i < count; ++i) {
            if (below(6) == 0) out += below(2) == 0 ? "\r\n" : blank() + "\r\n";
            out += blank() + word('!', '~');
        }
        return out;
    }

    std::string field(const std::string& name, const std::string& value)
    {
        // No blank before the colon, which RFC 6376 allows and python3-dkim does not: canonical_test has it.
        return name + ":" + (below(8) == 0 ? std::string{} : blank()) + value +
               (below(4) == 0 ? blank() : std::string{}) + "\r\n";
    }

    std::string line()
    {
        std::string out;
        const unsigned count = below(10);
        for (unsigned i = 0; i < count; ++i) {
            if (i > 0 || below(6) == 0) out += blank();
            out += below(10) == 0 ? word(0x80, 0xFF) : word('!', '~');
        }
        if (below(4) == 0) out += blank();
        return out;
    }

    std::string body()
    {
        std::string out;
        const unsigned lines = below(8) == 0 ? 0 : below(60);
        for (unsigned i = 0; i < lines; ++i) out += (below(5) == 0 ? std::string{} : line()) + "\r\n";
        for (unsigned i = below(4); i > 0; --i) out += "\r\n";
        if (below(40) == 0) out += std::string(40'000, 'x') + "\r\n"; // over one chunk of the canonicaliser
        return out;
    }

    std::mt19937 random_;
};

} // namespace penguin::dkim::tests
