// Our signer, libopendkim and python3-dkim on random messages: three implementations, one answer.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "dkim/canonical.h"
#include "dkim/opendkim_verifier.h"
#include "dkim/signature_field.h"
#include "tests/dkim/keys.h"
#include "tests/dkim/opendkim_signer.h"
#include "tests/dkim/random_message.h"

namespace penguin::dkim {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMessages = 2'000;
constexpr std::string_view kDomain = "example.com";

std::string selector_of(Algorithm algorithm) { return algorithm == Algorithm::rsa_sha256 ? "rsa" : "ed"; }

std::string our_signatures(std::string_view message, EVP_PKEY* rsa, EVP_PKEY* ed25519)
{
    const MessageDigest digest = MessageDigest::of(view_message(message).value()).value();
    return digest.sign({Algorithm::rsa_sha256, kDomain, "rsa", rsa, 1'790'000'000, 0}).value() +
           digest.sign({Algorithm::ed25519_sha256, kDomain, "ed", ed25519, 1'790'000'000, 0}).value();
}

std::string body_hash_of(std::string_view signature_fields)
{
    return tag_value(signature_fields.substr(signature_fields.find(':') + 1), "bh");
}

class Agreement : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (fs::temp_directory_path() / "penguin-dkim-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    void TearDown() override { fs::remove_all(folder_); }

    void keep(const std::string& name, const std::string& message)
    {
        std::ofstream{folder_ / (name + ".eml"), std::ios::binary} << message;
    }

    // What verify_all.py says of the folder: "<messages> <signatures> <bad>".
    std::string python_says()
    {
        for (const Algorithm algorithm : {Algorithm::rsa_sha256, Algorithm::ed25519_sha256})
            std::ofstream{folder_ / (selector_of(algorithm) + "._domainkey.example.com.txt")}
                << tests::record(algorithm);
        const std::string command = "/usr/bin/python3 " DKIM_VERIFY_ALL " " + folder_.string() + " 2>&1";
        FILE* pipe = ::popen(command.c_str(), "r"); // NOLINT: a fixed command of ours
        std::string said;
        char chunk[512];
        while (std::fgets(chunk, sizeof chunk, pipe) != nullptr) said += chunk;
        ::pclose(pipe);
        return said;
    }

    fs::path folder_;
    KeyHandle rsa_ = tests::opened(Algorithm::rsa_sha256);
    KeyHandle ed25519_ = tests::opened(Algorithm::ed25519_sha256);
    PublishedKeys published_{{"rsa._domainkey.example.com", tests::record(Algorithm::rsa_sha256)},
                             {"ed._domainkey.example.com", tests::record(Algorithm::ed25519_sha256)}};
};

TEST_F(Agreement, OfThreeImplementationsOnRandomMessages)
{
    const OpendkimVerifier judge;
    unsigned theirs = 0;
    for (unsigned i = 0; i < kMessages; ++i) {
        const std::string message = tests::RandomMessage{i}.make();
        const std::string ours = our_signatures(message, rsa_.get(), ed25519_.get());
        const auto verdicts = judge.verify(ours + message, published_);
        ASSERT_TRUE(verdicts) << "message " << i << ": " << verdicts.error().detail;
        ASSERT_EQ(verdicts->size(), 2U) << "message " << i;
        for (const SignatureVerdict& verdict : *verdicts)
            ASSERT_TRUE(verdict.valid) << "message " << i << ": " << verdict.reason;
        keep("ours-" + std::to_string(i), ours + message);

        const Algorithm algorithm = i % 2 == 0 ? Algorithm::rsa_sha256 : Algorithm::ed25519_sha256;
        EVP_PKEY* key = i % 2 == 0 ? rsa_.get() : ed25519_.get();
        const std::string opendkim =
            tests::opendkim_signature(message, algorithm, key, std::string{kDomain}, selector_of(algorithm));
        ASSERT_EQ(body_hash_of(opendkim), body_hash_of(ours)) << "message " << i;
        keep("theirs-" + std::to_string(i), opendkim + message);
        ++theirs;
    }
    EXPECT_EQ(python_says(), std::to_string(kMessages + theirs) + " messages, " +
                                 std::to_string(2 * kMessages + theirs) + " signatures, 0 bad\n");
}

TEST_F(Agreement, PythonSeesTampering)
{
    const std::string ours = our_signatures(tests::kMessage, rsa_.get(), ed25519_.get());
    std::string changed = ours + std::string{tests::kMessage};
    changed.replace(changed.rfind("Hi Ann"), 6, "Hi Bob");
    keep("body", changed);
    keep("added", "Subject: x\r\n" + ours + std::string{tests::kMessage});
    keep("good", ours + std::string{tests::kMessage});
    EXPECT_TRUE(python_says().ends_with("3 messages, 6 signatures, 4 bad\n")) << python_says();
}

} // namespace
} // namespace penguin::dkim
