#include <boost/asio/io_context.hpp>

#include "bench/micro/octets.h"
#include "dkim/signer.h"

namespace penguin::bench::micro {

namespace {

using dkim::Algorithm;

// Nothing here asks: only audits do.
class NoDns : public dns::Resolver {
public:
    awaitable<Result<dns::Answer<dns::MxRecord>>> mx(DomainName) override { co_return none(); }
    awaitable<Result<dns::Answer<asio::ip::address>>> a(DomainName) override { co_return none(); }
    awaitable<Result<dns::Answer<asio::ip::address>>> aaaa(DomainName) override { co_return none(); }
    awaitable<Result<dns::Answer<std::string>>> txt(DomainName) override { co_return none(); }

private:
    static std::unexpected<Error> none() { return fail(Errc::unavailable, "no DNS here"); }
};

const dkim::KeyPair& key_pair(Algorithm algorithm)
{
    static const dkim::KeyPair rsa = dkim::make_key_pair(Algorithm::rsa_sha256).value();
    static const dkim::KeyPair ed25519 = dkim::make_key_pair(Algorithm::ed25519_sha256).value();
    return algorithm == Algorithm::rsa_sha256 ? rsa : ed25519;
}

// The engine's signer, its keys opened, signing for one domain.
class Signing {
public:
    explicit Signing(const std::vector<Algorithm>& algorithms)
    {
        std::vector<dkim::SigningKey> keys;
        for (const Algorithm algorithm : algorithms) {
            const std::string selector{dkim::name_of(algorithm)};
            const auto owner = dkim::owner_of(tenant_, domain_, selector, 1);
            keys.push_back({.tenant = tenant_,
                            .domain = domain_,
                            .selector = selector,
                            .algorithm = algorithm,
                            .sealed = dkim::seal(master_, key_pair(algorithm).private_der.bytes(), owner).value()});
        }
        signer_.replace_keys(keys);
    }
    Result<Signature> sign(std::string_view message) { return signer_.sign({tenant_, domain_, message, now_}); }

private:
    WallTime now_ = wall_now();
    TenantId tenant_{Uuid::v7(now_)};
    DomainName domain_ = DomainName::parse("example.com").value();
    dkim::MasterKey master_ = dkim::MasterKey::random();
    asio::io_context io_;
    NoDns dns_;
    Registry metrics_;
    dkim::DkimSigner signer_{master_, {}, io_.get_executor(), dns_, metrics_};
};

void sign(benchmark::State& state, const std::vector<Algorithm>& algorithms, const std::string& beside)
{
    Signing signing{algorithms};
    const std::string message = message_of(static_cast<std::size_t>(state.range(0)));
    if (!signing.sign(message)) return state.SkipWithError("cannot sign");
    for (auto step : state) benchmark::DoNotOptimize(signing.sign(message));
    state.SetBytesProcessed(state.iterations() * state.range(0));
    stands_beside(state, beside + "+sha256/" + std::to_string(state.range(0)));
}

const std::vector<Algorithm> kBoth{Algorithm::rsa_sha256, Algorithm::ed25519_sha256};

void rsa(benchmark::State& state) { sign(state, {Algorithm::rsa_sha256}, "rsa2048"); }
void both(benchmark::State& state) { sign(state, kBoth, "rsa2048+ed25519"); }

// The signer wants an RSA key beside it, so the port is gone round: the same hashes and field, one key.
void ed25519(benchmark::State& state)
{
    const dkim::KeyHandle key =
        dkim::open_private_key(Algorithm::ed25519_sha256, key_pair(Algorithm::ed25519_sha256).private_der.bytes())
            .value();
    const std::string message = message_of(static_cast<std::size_t>(state.range(0)));
    const dkim::FieldRequest request{.algorithm = Algorithm::ed25519_sha256,
                                     .domain = "example.com",
                                     .selector = "e1",
                                     .key = key.get(),
                                     .signed_at = to_unix_ms(wall_now()) / 1000};
    for (auto step : state) {
        const auto view = dkim::view_message(message);
        const auto digest = dkim::MessageDigest::of(view.value());
        benchmark::DoNotOptimize(digest.value().sign(request));
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
    stands_beside(state, "ed25519+sha256/" + std::to_string(state.range(0)));
}

BENCHMARK(rsa)->Name("dkim/rsa2048")->Apply(all_sizes);
BENCHMARK(ed25519)->Name("dkim/ed25519")->Apply(all_sizes);
BENCHMARK(both)->Name("dkim/both")->Apply(all_sizes);

} // namespace

} // namespace penguin::bench::micro
