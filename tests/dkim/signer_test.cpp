#include "dkim/signer.h"

#include <thread>

#include <gtest/gtest.h>

#include "dkim/canonical.h"
#include "tests/dkim/keys.h"
#include "tests/support/run.h"
#include "tests/support/zone_table.h"

namespace penguin::dkim {
namespace {

using namespace std::chrono_literals;
using penguin::tests::run;
using penguin::tests::ZoneTable;
using tests::domain;
using tests::kMessage;
using tests::signing_key;
using tests::tenant;

constexpr Algorithm kRsa = Algorithm::rsa_sha256;
constexpr Algorithm kEd = Algorithm::ed25519_sha256;

class SignerTest : public testing::Test {
protected:
    SignerTest()
    {
        publish("s1", kRsa);
        publish("e1", kEd);
        signer_.replace_keys({rsa_});
    }

    void publish(const std::string& selector, Algorithm algorithm)
    {
        dns_.add_txt(selector + "._domainkey.example.com", tests::record(algorithm));
    }
    Result<Signature> sign(std::string_view message = kMessage)
    {
        return signer_.sign({tenant(1), domain("example.com"), message, now_});
    }
    Result<> audit(const Signature& signature, std::string_view message = kMessage)
    {
        return run(io_,
                   signer_.audit(tenant(1), domain("example.com"), signature.header_fields + std::string{message}));
    }
    double metric(std::string_view line)
    {
        const std::string text = "\n" + metrics_.expose();
        const std::size_t at = text.find("\n" + std::string{line} + " ");
        return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
    }

    WallTime now_ = wall_now(); // libopendkim reads the real clock for x=
    asio::io_context io_;
    ZoneTable dns_;
    Registry metrics_;
    MasterKey master_ = MasterKey::random();
    SigningKey rsa_ = signing_key(master_, tenant(1), "example.com", "s1", kRsa);
    SigningKey ed_ = signing_key(master_, tenant(1), "example.com", "e1", kEd);
    DkimSigner signer_{
        master_,
        {.lifetime = std::chrono::days{7}, .audit = {.every = 5, .retry = 60s}, .clock = [this] { return now_; }},
        io_.get_executor(),
        dns_,
        metrics_};
};

TEST_F(SignerTest, SignsWithRsaAndBesideItEd25519)
{
    Signature signature = sign().value();
    EXPECT_TRUE(signature.header_fields.contains("a=rsa-sha256"));
    EXPECT_FALSE(signature.header_fields.contains("a=ed25519-sha256"));
    signer_.replace_keys({rsa_, ed_});
    signature = sign().value();
    EXPECT_TRUE(signature.header_fields.contains("a=rsa-sha256"));
    EXPECT_TRUE(signature.header_fields.contains("a=ed25519-sha256"));
    EXPECT_TRUE(audit(signature)) << audit(signature).error().detail;
    const std::int64_t seconds = to_unix_ms(now_) / 1000;
    EXPECT_TRUE(signature.header_fields.contains("t=" + std::to_string(seconds) +
                                                 "; x=" + std::to_string(seconds + 7 * 86400)));
    EXPECT_EQ(metric(R"(penguin_dkim_signatures_total{algorithm="rsa-sha256"})"), 2);
}

TEST_F(SignerTest, WithoutAnRsaKeyThereIsNoSignature)
{
    EXPECT_EQ(signer_.sign({tenant(2), domain("example.com"), kMessage, now_}).error().code, Errc::missing);
    EXPECT_EQ(signer_.sign({tenant(1), domain("other.example"), kMessage, now_}).error().code, Errc::missing);
    signer_.replace_keys({ed_});
    EXPECT_EQ(sign().error().code, Errc::missing);
    EXPECT_EQ(metric("penguin_dkim_sign_failures_total"), 3);
}

TEST_F(SignerTest, FaultsOfOursAndOfTheMessage)
{
    EXPECT_EQ(sign("no header").error().code, Errc::malformed);
    rsa_.sealed = "broken";
    signer_.replace_keys({rsa_});
    EXPECT_EQ(sign().error().code, Errc::local_fault);
}

TEST_F(SignerTest, SignedMailPassesUntouched)
{
    const Signature first = sign().value();
    const Signature second = sign(first.header_fields + std::string{kMessage}).value();
    EXPECT_EQ(second.header_fields, "");
    EXPECT_FALSE(second.audit_wanted);
    const std::string foreign = "DKIM-Signature: v=1; a=rsa-sha256; d=list.example; s=x\r\n" + std::string{kMessage};
    EXPECT_NE(sign(foreign)->header_fields, ""); // somebody else's signature is not ours
}

TEST_F(SignerTest, ANewKeyIsAuditedUntilOneMessagePasses)
{
    const Signature first = sign().value();
    EXPECT_TRUE(first.audit_wanted);
    EXPECT_TRUE(sign()->audit_wanted); // the first audit has no answer yet
    ASSERT_TRUE(audit(first));
    std::string wanted;
    for (int i = 0; i < 12; ++i) wanted += sign()->audit_wanted ? '1' : '0';
    EXPECT_EQ(wanted, "000010000100"); // one in five
    EXPECT_EQ(metric(R"(penguin_dkim_audits_total{result="passed"})"), 1);
}

TEST_F(SignerTest, AForgottenRecordStopsTheDomainUntilItIsThere)
{
    dns_.remove("s1._domainkey.example.com");
    const Result<> missing = audit(sign().value());
    EXPECT_EQ(missing.error().code, Errc::denied);
    EXPECT_TRUE(missing.error().detail.contains("s1._domainkey.example.com")) << missing.error().detail;
    const Result<Signature> stopped = sign();
    EXPECT_EQ(stopped.error().code, Errc::denied);
    EXPECT_TRUE(stopped.error().detail.contains("is stopped since")) << stopped.error().detail;
    EXPECT_EQ(metric("penguin_dkim_stopped_keys"), 1);

    now_ += 59s;
    EXPECT_EQ(sign().error().code, Errc::denied);
    now_ += 1s;
    const Signature probe = sign().value(); // one message goes to the judge
    EXPECT_TRUE(probe.audit_wanted);
    EXPECT_EQ(sign().error().code, Errc::denied);
    EXPECT_EQ(audit(probe).error().code, Errc::denied);

    publish("s1", kRsa);
    now_ += 60s;
    EXPECT_TRUE(audit(sign().value()));
    EXPECT_FALSE(sign()->audit_wanted);
    EXPECT_EQ(metric("penguin_dkim_stopped_keys"), 0);
    EXPECT_EQ(metric(R"(penguin_dkim_audits_total{result="failed"})"), 2);
}

TEST_F(SignerTest, AWrongRecordStopsTheDomain)
{
    dns_.remove("s1._domainkey.example.com");
    dns_.add_txt("s1._domainkey.example.com", "v=spf1 -all");
    dns_.add_txt("s1._domainkey.example.com", dns_record(kRsa, make_key_pair(kRsa)->public_base64));
    EXPECT_EQ(audit(sign().value()).error().code, Errc::denied);
    EXPECT_EQ(sign().error().code, Errc::denied);
}

TEST_F(SignerTest, ANewKeyEndsTheStop)
{
    dns_.remove("s1._domainkey.example.com");
    EXPECT_FALSE(audit(sign().value()));
    EXPECT_FALSE(sign());
    publish("s2", kRsa);
    signer_.replace_keys({rsa_, signing_key(master_, tenant(1), "example.com", "s2", kRsa, 2)});
    EXPECT_EQ(metric("penguin_dkim_stopped_keys"), 0);
    const Signature signature = sign().value();
    EXPECT_TRUE(signature.audit_wanted);
    EXPECT_TRUE(audit(signature));
}

TEST_F(SignerTest, DnsThatDoesNotAnswerStopsNothing)
{
    for (const Errc code : {Errc::unavailable, Errc::timeout, Errc::malformed}) {
        dns_.fail("s1._domainkey.example.com", code);
        EXPECT_EQ(audit(sign().value()).error().code, Errc::unavailable);
        EXPECT_TRUE(sign()->audit_wanted); // still unproven
    }
    EXPECT_EQ(metric(R"(penguin_dkim_audits_total{result="unavailable"})"), 3);
    dns_.succeed("s1._domainkey.example.com");
    EXPECT_TRUE(audit(sign().value()));
}

TEST_F(SignerTest, ABadEd25519KeyOnlyStopsItself)
{
    signer_.replace_keys({rsa_, ed_});
    dns_.remove("e1._domainkey.example.com");
    const Result<> failed = audit(sign().value());
    EXPECT_EQ(failed.error().code, Errc::denied); // this message is not sent as it is
    EXPECT_TRUE(failed.error().detail.contains("e1._domainkey.example.com")) << failed.error().detail;
    const Signature signature = sign().value();
    EXPECT_FALSE(signature.header_fields.contains("a=ed25519-sha256"));
    EXPECT_TRUE(signature.header_fields.contains("a=rsa-sha256"));
    EXPECT_FALSE(signature.audit_wanted);
}

TEST_F(SignerTest, ATamperedMessageDoesNotPass)
{
    const Signature signature = sign().value();
    EXPECT_EQ(audit(signature, std::string{kMessage} + "more\r\n").error().code, Errc::denied);
    EXPECT_EQ(run(io_, signer_.audit(tenant(1), domain("example.com"), std::string{kMessage})).error().code,
              Errc::denied);
    EXPECT_EQ(run(io_, signer_.audit(tenant(1), domain("example.com"), "x")).error().code, Errc::malformed);
}

TEST_F(SignerTest, ManyThreadsSignAtOnce)
{
    signer_.replace_keys({rsa_, ed_});
    ASSERT_TRUE(audit(sign().value()));
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int k = 0; k < 20; ++k)
                if (const Result<Signature> signature = sign())
                    if (!signature->header_fields.empty()) ++good;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 80);
}

// The resolver's thread is another one than the caller's.
TEST_F(SignerTest, LooksUpOnTheResolversThread)
{
    asio::io_context resolver_io;
    const auto work = asio::make_work_guard(resolver_io);
    std::thread resolver_thread{[&] { resolver_io.run(); }};
    DkimSigner signer{master_, {}, resolver_io.get_executor(), dns_, metrics_};
    signer.replace_keys({rsa_});
    const Signature signature = signer.sign({tenant(1), domain("example.com"), kMessage, now_}).value();
    const Result<> passed =
        run(io_, signer.audit(tenant(1), domain("example.com"), signature.header_fields + std::string{kMessage}));
    resolver_io.stop();
    resolver_thread.join();
    EXPECT_TRUE(passed) << passed.error().detail;
}

} // namespace
} // namespace penguin::dkim
