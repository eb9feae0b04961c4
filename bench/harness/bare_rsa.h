// bench/harness/bare_rsa.h
// The RSA-2048 signature alone, of a hash that is there already, with an opened key: what no signer can be cheaper than.
//
//   errors  BenchError: OpenSSL refuses
#pragma once

#include <array>
#include <memory>

#include <openssl/types.h>

#include "bench/harness/patience.h"

namespace penguin::bench {

class BareRsa {
public:
    BareRsa();
    void sign();
    const unsigned char* signature() const { return signature_.data(); }

private:
    static constexpr std::size_t kBits = 2'048;
    struct Free {
        void operator()(EVP_PKEY* key) const;
        void operator()(EVP_PKEY_CTX* context) const;
    };
    std::unique_ptr<EVP_PKEY, Free> key_;
    std::unique_ptr<EVP_PKEY_CTX, Free> context_;
    std::array<unsigned char, kBits / 8> signature_{};
};

// CPU of one signature on one core, in microseconds: the median of some hundred. Takes a tenth of a second.
double bare_rsa_us(Patience& patience);

} // namespace penguin::bench
