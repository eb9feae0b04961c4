#include "bench/harness/bare_rsa.h"

#include <ctime>
#include <vector>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "bench/harness/statistics.h"

namespace penguin::bench {

namespace {

double thread_us()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

} // namespace

void BareRsa::Free::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
void BareRsa::Free::operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }

BareRsa::BareRsa()
    : key_{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kBits)},
      context_{EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr)}
{
    const bool ready = EVP_PKEY_sign_init(context_.get()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_padding(context_.get(), RSA_PKCS1_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_signature_md(context_.get(), EVP_sha256()) == 1;
    if (!ready) throw BenchError{"OpenSSL refuses an RSA-2048 key"};
}

void BareRsa::sign()
{
    constexpr std::array<unsigned char, 32> kHash{};
    std::size_t size = signature_.size();
    if (EVP_PKEY_sign(context_.get(), signature_.data(), &size, kHash.data(), kHash.size()) != 1)
        throw BenchError{"OpenSSL cannot sign"};
}

double bare_rsa_us(Patience& patience)
{
    constexpr std::size_t kSignatures = 400;
    BareRsa rsa;
    std::vector<double> micros;
    micros.reserve(kSignatures);
    for (std::size_t i = 0; i < kSignatures; ++i) {
        patience.check();
        const double before = thread_us();
        rsa.sign();
        micros.push_back(thread_us() - before);
    }
    return median(std::move(micros));
}

} // namespace penguin::bench
