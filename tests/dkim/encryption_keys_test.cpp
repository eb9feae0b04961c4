#include "dkim/encryption_keys.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dkim/key_ring.h"
#include "engine/mail/base64.h"
#include "tests/dkim/keys.h"

namespace penguin::dkim {
namespace {

namespace fs = std::filesystem;

MasterKey key(char octet) { return MasterKey::parse(std::string(32, octet)).value(); }
std::string line(char octet) { return to_base64(std::string(32, octet)); }
SecretOwner owner() { return {tests::tenant(1), "dkim", "example.com/s1", 1}; }

TEST(EncryptionKeys, AreLinesInTheirOrder)
{
    const auto keys =
        EncryptionKeys::parse("# made 2026-11-24\n\n  " + line('b') + "\r\n" + std::string(64, 'a') + "\n" + line('c'));
    ASSERT_TRUE(keys) << keys.error().detail;
    ASSERT_EQ(keys->size(), 3U);
    EXPECT_EQ(keys->front().id(), key('b').id());
    EXPECT_EQ((*keys)[1].id(), MasterKey::parse(std::string(32, '\xAA'))->id());
    EXPECT_EQ(keys->back().id(), key('c').id());
}

TEST(EncryptionKeys, RefuseWhatIsNoKey)
{
    std::string many;
    for (std::size_t i = 0; i <= EncryptionKeys::kKeysMax; ++i) many += line(static_cast<char>('a' + i)) + "\n";
    EXPECT_EQ(EncryptionKeys::parse(many).error().code, Errc::too_long);
    for (const std::string& bad : {std::string{}, std::string{"# nothing\n"}, line('a') + "\nkey\n",
                                   std::string(32, 'a'), line('a') + " " + line('b'), line('a') + "\n" + line('a')})
        EXPECT_EQ(EncryptionKeys::parse(bad).error().code, Errc::malformed) << bad;
    EXPECT_TRUE(EncryptionKeys::parse(line('a') + "\nkey").error().detail.contains("line 2"));
    EXPECT_FALSE(EncryptionKeys::parse(line('a') + "\nsecret").error().detail.contains("secret"));
}

class Rotation : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (fs::temp_directory_path() / "penguin-kek-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        file_ = folder_ / "keys";
    }
    void TearDown() override { fs::remove_all(folder_); }
    void write(const std::string& text, unsigned mode = 0600)
    {
        const fs::path aside = folder_ / "next";
        std::ofstream{aside} << text;
        ::chmod(aside.c_str(), mode);
        fs::rename(aside, file_);
    }
    MasterKey master_with_file() { return key('m').with(EncryptionKeys::load(file_).value()); }

    fs::path folder_;
    fs::path file_;
};

TEST_F(Rotation, MustBeThereAndPrivateAtFirst)
{
    EXPECT_EQ(EncryptionKeys::load(file_).error().code, Errc::not_found);
    write(line('a'), 0640);
    EXPECT_EQ(EncryptionKeys::load(file_).error().code, Errc::denied);
    write("nonsense");
    EXPECT_EQ(EncryptionKeys::load(file_).error().code, Errc::malformed);
    write(std::string(EncryptionKeys::kFileMax + 1, '#'));
    EXPECT_EQ(EncryptionKeys::load(file_).error().code, Errc::malformed);
    write(line('a'), 0400);
    EXPECT_TRUE(EncryptionKeys::load(file_));
}

TEST_F(Rotation, WhatTheMasterKeyWrappedStillOpens)
{
    const std::string before = seal(key('m'), "secret", owner()).value();
    write(line('a'));
    const MasterKey master = master_with_file();
    EXPECT_EQ(open_sealed(master, before, owner())->bytes(), "secret");
    EXPECT_FALSE(before.starts_with(sealed_head(master)));
    const std::string now = seal(master, "secret", owner()).value();
    EXPECT_TRUE(now.starts_with(sealed_head(master)));
    EXPECT_EQ(open_sealed(key('m'), now, owner()).error().code, Errc::denied)
        << "the master key alone opens it no more";
    EXPECT_EQ(master.id(), key('m').id()) << "what else is derived stays";
    EXPECT_EQ(master.derive("return-path"), key('m').derive("return-path"));
}

TEST_F(Rotation, ChangesTheKeyWhileTheProcessRuns)
{
    write(line('a'));
    const MasterKey master = master_with_file();
    const std::string by_a = seal(master, "secret", owner()).value();
    write(line('a') + "\n" + line('b')); // every node learns the new key
    EXPECT_TRUE(seal(master, "secret", owner())->starts_with(sealed_head(key('a'))));
    write(line('b') + "\n" + line('a')); // it wraps
    const std::string by_b = seal_again(master, by_a, owner()).value();
    EXPECT_TRUE(by_b.starts_with(sealed_head(key('b'))));
    EXPECT_EQ(open_sealed(master, by_a, owner())->bytes(), "secret");
    EXPECT_EQ(open_sealed(master, by_b, owner())->bytes(), "secret");
    write(line('b')); // the old one is gone
    EXPECT_EQ(open_sealed(master, by_a, owner()).error().code, Errc::denied);
    EXPECT_EQ(open_sealed(master, by_b, owner())->bytes(), "secret");
}

TEST_F(Rotation, ASecretThatIsNotItsOwnersIsNotWrappedAgain)
{
    write(line('a'));
    const MasterKey master = master_with_file();
    SecretOwner other = owner();
    other.tenant = tests::tenant(2);
    EXPECT_EQ(seal_again(master, seal(master, "secret", owner()).value(), other).error().code, Errc::denied);
}

TEST_F(Rotation, AFileThatTurnsBadLeavesTheKeysInUse)
{
    write(line('a'));
    const MasterKey master = master_with_file();
    const std::string sealed = seal(master, "secret", owner()).value();
    for (const auto& [text, mode] : {std::pair{std::string{"nonsense"}, 0600U}, std::pair{line('b'), 0644U}}) {
        write(text, mode);
        EXPECT_EQ(open_sealed(master, sealed, owner())->bytes(), "secret");
    }
    fs::remove(file_);
    EXPECT_EQ(open_sealed(master, sealed, owner())->bytes(), "secret");
    write(line('b') + "\n" + line('a'));
    EXPECT_EQ(open_sealed(master, sealed, owner())->bytes(), "secret");
    EXPECT_TRUE(seal(master, "secret", owner())->starts_with(sealed_head(key('b'))));
}

TEST_F(Rotation, AKeyRingSignsOn)
{
    write(line('a'));
    const MasterKey master = master_with_file();
    SigningKey signing = tests::signing_key(master, tests::tenant(1), "example.com", "s1", Algorithm::ed25519_sha256);
    const DomainName domain = signing.domain;
    KeyRing ring{master};
    ring.replace({signing});
    EXPECT_TRUE(ring.open(*ring.find(signing.tenant, domain)->ed25519));
    write(line('b') + "\n" + line('a'));
    signing.sealed = seal_again(master, signing.sealed, owner_of(signing.tenant, domain, "s1", 1)).value();
    write(line('b'));
    ring.replace({signing});
    EXPECT_TRUE(ring.open(*ring.find(signing.tenant, domain)->ed25519));
}

} // namespace
} // namespace penguin::dkim
