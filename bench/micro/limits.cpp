#include "bench/micro/limits.h"

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include "bench/harness/bare_rsa.h"

namespace penguin::bench::micro {

namespace {

constexpr std::size_t kHash = 32; // octets

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void copy(benchmark::State& state, std::size_t octets)
{
    const std::string from(octets, 'x');
    std::string to(octets, ' ');
    for (auto step : state) {
        std::memcpy(to.data(), from.data(), octets);
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
}

void sha256(benchmark::State& state, std::size_t octets)
{
    const std::string text(octets, 'x');
    const Owned<EVP_MD> digest{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    const Owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
    std::array<unsigned char, kHash> hash{};
    for (auto step : state) {
        EVP_DigestInit_ex2(context.get(), digest.get(), nullptr);
        EVP_DigestUpdate(context.get(), text.data(), text.size());
        EVP_DigestFinal_ex(context.get(), hash.data(), nullptr);
        benchmark::DoNotOptimize(hash);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
}

void rsa2048(benchmark::State& state)
{
    BareRsa rsa;
    for (auto step : state) {
        rsa.sign();
        benchmark::DoNotOptimize(rsa.signature());
    }
}

void ed25519(benchmark::State& state)
{
    constexpr std::size_t kSignature = 64;
    const Owned<EVP_PKEY> key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
    const Owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
    const std::array<unsigned char, kHash> hash{};
    std::array<unsigned char, kSignature> signature{};
    for (auto step : state) {
        std::size_t size = signature.size();
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get());
        if (EVP_DigestSign(context.get(), signature.data(), &size, hash.data(), hash.size()) != 1)
            return state.SkipWithError("OpenSSL cannot sign");
        benchmark::DoNotOptimize(signature);
        EVP_MD_CTX_reset(context.get());
    }
}

std::optional<std::size_t> octets_in(std::string_view name, std::string_view kind)
{
    if (!name.starts_with(kind)) return std::nullopt;
    name.remove_prefix(kind.size());
    std::size_t octets = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), octets);
    if (code != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return octets;
}

} // namespace

bool register_limit(const std::string& name)
{
    static std::set<std::string> known;
    if (known.contains(name)) return true;
    const std::string full = kLimitPrefix + name;
    if (const auto octets = octets_in(name, "memcpy/"))
        benchmark::RegisterBenchmark(full.c_str(), [n = *octets](benchmark::State& state) { copy(state, n); });
    else if (const auto hashed = octets_in(name, "sha256/"))
        benchmark::RegisterBenchmark(full.c_str(), [n = *hashed](benchmark::State& state) { sha256(state, n); });
    else if (name == "rsa2048")
        benchmark::RegisterBenchmark(full.c_str(), rsa2048);
    else if (name == "ed25519")
        benchmark::RegisterBenchmark(full.c_str(), ed25519);
    else
        return false;
    known.insert(name);
    return true;
}

} // namespace penguin::bench::micro
