#include "dkim/key_ring.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tests/dkim/keys.h"

namespace penguin::dkim {
namespace {

using tests::domain;
using tests::signing_key;
using tests::tenant;

constexpr Algorithm kRsa = Algorithm::rsa_sha256;
constexpr Algorithm kEd = Algorithm::ed25519_sha256;

class KeyRingTest : public testing::Test {
protected:
    SigningKey key(unsigned char owner, std::string_view name, std::string_view selector, Algorithm algorithm,
                   std::uint32_t version = 1)
    {
        return signing_key(master_, tenant(owner), name, selector, algorithm, version);
    }
    MasterKey master_ = MasterKey::random();
    KeyRing ring_{master_};
};

TEST_F(KeyRingTest, FindsByTenantAndDomain)
{
    ring_.replace(
        {key(1, "a.example", "s1", kRsa), key(1, "a.example", "e1", kEd), key(2, "a.example", "other", kRsa)});
    const auto found = ring_.find(tenant(1), domain("a.example"));
    ASSERT_TRUE(found && found->rsa && found->ed25519);
    EXPECT_EQ(found->rsa->key.selector, "s1");
    EXPECT_EQ(found->ed25519->key.selector, "e1");
    EXPECT_EQ(ring_.find(tenant(2), domain("a.example"))->rsa->key.selector, "other");
    EXPECT_FALSE(ring_.find(tenant(3), domain("a.example")));
    EXPECT_FALSE(ring_.find(tenant(1), domain("b.example")));
}

TEST_F(KeyRingTest, TheNewestOfTwoSelectorsSigns)
{
    ring_.replace({key(1, "a.example", "new", kRsa, 2), key(1, "a.example", "old", kRsa, 1)});
    EXPECT_EQ(ring_.find(tenant(1), domain("a.example"))->rsa->key.selector, "new");
}

TEST_F(KeyRingTest, AnUnchangedKeyKeepsItsIdentity)
{
    const SigningKey kept = key(1, "a.example", "s1", kRsa);
    ring_.replace({kept});
    const KeyId before = ring_.find(tenant(1), domain("a.example"))->rsa->id;
    EXPECT_EQ(ring_.replace({kept, key(1, "b.example", "s1", kRsa)}).size(), 2U);
    EXPECT_EQ(ring_.find(tenant(1), domain("a.example"))->rsa->id, before);
    ring_.replace({key(1, "a.example", "s1", kRsa)}); // sealed anew
    EXPECT_NE(ring_.find(tenant(1), domain("a.example"))->rsa->id, before);
    ring_.replace({});
    EXPECT_FALSE(ring_.find(tenant(1), domain("a.example")));
}

TEST_F(KeyRingTest, OpensOneCopyAThread)
{
    ring_.replace({key(1, "a.example", "s1", kRsa)});
    const auto keys = ring_.find(tenant(1), domain("a.example"));
    EVP_PKEY* const mine = ring_.open(*keys->rsa).value();
    EXPECT_EQ(ring_.open(*keys->rsa).value(), mine);
    EVP_PKEY* theirs = nullptr;
    bool equal = false;
    std::thread{[&] {
        theirs = ring_.open(*keys->rsa).value();
        equal = EVP_PKEY_eq(mine, theirs) == 1;
    }}.join();
    EXPECT_NE(theirs, mine);
    EXPECT_TRUE(equal);
}

TEST_F(KeyRingTest, AThreadKeepsABoundedNumber)
{
    std::vector<SigningKey> keys;
    for (std::size_t i = 0; i < KeyRing::kThreadKeysMax + 10; ++i)
        keys.push_back(key(1, "d" + std::to_string(i) + ".example", "s1", kEd));
    ring_.replace(keys);
    for (int round = 0; round < 2; ++round) // the second round opens again what the first has pushed out
        for (const SigningKey& one : keys)
            EXPECT_EQ(EVP_PKEY_get_base_id(ring_.open(*ring_.find(tenant(1), one.domain)->ed25519).value()),
                      EVP_PKEY_ED25519);
}

TEST_F(KeyRingTest, SaysWhichKeyCannotBeOpened)
{
    SigningKey broken = key(1, "a.example", "s1", kRsa);
    broken.sealed.back() = static_cast<char>(broken.sealed.back() ^ 1);
    SigningKey swapped = key(1, "b.example", "s1", kEd); // an Ed25519 key that its row calls RSA
    swapped.algorithm = kRsa;
    const SigningKey foreign = signing_key(MasterKey::random(), tenant(1), "c.example", "s1", kRsa);
    ring_.replace({broken, swapped, foreign});
    for (const char* name : {"a.example", "b.example", "c.example"}) {
        const Result<EVP_PKEY*> opened = ring_.open(*ring_.find(tenant(1), domain(name))->rsa);
        ASSERT_FALSE(opened) << name;
        EXPECT_EQ(opened.error().code, Errc::local_fault);
        EXPECT_TRUE(opened.error().detail.contains(std::string{name} + "/s1")) << opened.error().detail;
    }
}

TEST_F(KeyRingTest, ReplaceWhileThreadsSign)
{
    const std::vector<SigningKey> keys{key(1, "a.example", "s1", kEd), key(1, "b.example", "s1", kEd)};
    ring_.replace(keys);
    std::atomic<int> opened{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int k = 0; k < 500; ++k)
                if (const auto found = ring_.find(tenant(1), domain(k % 2 == 0 ? "a.example" : "b.example")))
                    if (ring_.open(*found->ed25519)) ++opened;
        });
    for (int k = 0; k < 200; ++k) ring_.replace(keys);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(opened, 2000);
}

} // namespace
} // namespace penguin::dkim
