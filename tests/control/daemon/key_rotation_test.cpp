#include "control/daemon/key_rotation.h"

#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/db/database.h"
#include "dkim/encryption_keys.h"
#include "dkim/key_ring.h"
#include "engine/mail/base64.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::control {
namespace {

namespace fs = std::filesystem;
using penguin::test::PostgresServer;
using tests::run;

std::string line(char octet) { return to_base64(std::string(32, octet)) + "\n"; }

std::string hex(std::string_view octets)
{
    std::string out;
    for (const char c : octets) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    return out;
}

class KeyRotationTest : public testing::Test {
protected:
    KeyRotationTest() { write(line('a')); }
    ~KeyRotationTest() override { fs::remove_all(folder_); }

    static fs::path make_folder()
    {
        std::string name = (fs::temp_directory_path() / "penguin-rotation-XXXXXX").string();
        return ::mkdtemp(name.data());
    }
    void write(const std::string& text)
    {
        std::ofstream{folder_ / "next"} << text;
        ::chmod((folder_ / "next").c_str(), 0600);
        fs::rename(folder_ / "next", folder_ / "keys");
    }
    dkim::MasterKey master_of_a_process() const
    {
        return dkim::MasterKey::parse(std::string(32, 'm'))->with(dkim::EncryptionKeys::load(folder_ / "keys").value());
    }
    static TenantId tenant(unsigned number)
    {
        return TenantId{Uuid::parse(fmt::format("00000000-0000-7000-8000-{:012x}", number)).value()};
    }
    static std::string secret(unsigned owner, unsigned number) { return fmt::format("secret {} of {}", number, owner); }
    static dkim::SecretOwner owner_of(unsigned owner, unsigned number)
    {
        const DomainName domain = DomainName::parse(fmt::format("d{}.example", owner)).value();
        return dkim::owner_of(tenant(owner), domain, fmt::format("s{}", number), 1);
    }

    // A tenant with a domain and that many keys, wrapped by the key that wraps now.
    void add_tenant(const dkim::MasterKey& master, unsigned owner, unsigned keys)
    {
        const std::string id = tenant(owner).value().text();
        std::string text =
            fmt::format("insert into control.tenants (id, name, created, updated) values ('{0}', 't', now(), now());"
                        "insert into control.domains (tenant_id, id, name, bounce_host, created) values "
                        "('{0}', '{0}', 'd{1}.example', 'b', now());",
                        id, owner);
        for (unsigned i = 0; i < keys; ++i)
            text += fmt::format(
                "insert into control.dkim_keys (tenant_id, id, domain_id, selector, algorithm, public_key, sealed, "
                "created) values ('{0}', gen_random_uuid(), '{0}', 's{1}', 'rsa-sha256', '', '\\x{2}', now());",
                id, i, hex(dkim::seal(master, secret(owner, i), owner_of(owner, i)).value()));
        sql(text);
    }
    std::string sql(const std::string& text) { return server_.sql(name_, text); }
    std::string not_wrapped_by(const dkim::MasterKey& master)
    {
        return sql(fmt::format("select count(*) from control.dkim_keys where substring(sealed from 1 for 9) <> '\\x{}'",
                               hex(dkim::sealed_head(master))));
    }
    // Opens every secret of a tenant as a process with that master key would.
    void expect_all_open(const dkim::MasterKey& master, unsigned owner, unsigned keys)
    {
        for (unsigned i = 0; i < keys; ++i) {
            const std::string text = sql(fmt::format(
                "select encode(sealed, 'base64') from control.dkim_keys where tenant_id = '{}' and selector = 's{}'",
                tenant(owner).value().text(), i));
            const std::string sealed = from_base64(text, WhiteSpace::skipped).value();
            const Result<dkim::Secret> opened = dkim::open_sealed(master, sealed, owner_of(owner, i));
            ASSERT_TRUE(opened) << opened.error().detail;
            EXPECT_EQ(opened->bytes(), secret(owner, i));
        }
    }
    Result<KeyRotation> rotate(const dkim::MasterKey& master)
    {
        db::PoolOptions options;
        options.user = db::kApiRole;
        Registry metrics;
        db::Database api{io_.get_executor(), db::TierDsns::all(server_.dsn(name_)), options, metrics};
        return run(io_, rotate_encryption_key(api.control, master));
    }

    const fs::path folder_ = make_folder();
    PostgresServer& server_ = PostgresServer::instance();
    std::string name_ = server_.migrated_database();
    asio::io_context io_;
};

TEST_F(KeyRotationTest, WrapsEverySecretOfEveryTenantOnce)
{
    const unsigned many = kSecretsAStep + 7;
    const dkim::MasterKey daemon = master_of_a_process();
    add_tenant(daemon, 1, many);
    add_tenant(daemon, 2, 3);
    add_tenant(dkim::MasterKey::parse(std::string(32, 'm')).value(), 3, 1); // from before there was a file
    const std::string before = sql("select settings from control.settings_version");
    write(line('b') + line('a'));

    const dkim::MasterKey command = master_of_a_process();
    const auto rotation = rotate(command);
    ASSERT_TRUE(rotation) << rotation.error().detail;
    EXPECT_EQ(rotation->wrapped, many + 4);
    EXPECT_TRUE(rotation->unopened.empty());
    EXPECT_EQ(not_wrapped_by(command), "0");
    EXPECT_NE(sql("select settings from control.settings_version"), before) << "the nodes look";
    EXPECT_EQ(sql("select string_agg(detail, ' ' order by seq) from control.audit where action = 'keys.wrapped_again'"),
              R"({"secrets":100} {"secrets":7} {"secrets":3} {"secrets":1})");

    write(line('b')); // the old key is gone, and the daemon that was running all the time goes on
    expect_all_open(daemon, 1, many);
    expect_all_open(daemon, 2, 3);
    expect_all_open(daemon, 3, 1);
    EXPECT_EQ(rotate(command)->wrapped, 0U) << "nothing is left to do";
}

TEST_F(KeyRotationTest, GoesOverMoreTenantsThanAPage)
{
    const unsigned last = 0xFFFFF; // behind all others
    sql(fmt::format("insert into control.tenants (id, name, created, updated) select "
                    "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 't', now(), now() "
                    "from generate_series(16, {}) n",
                    2 * kTenantsAPage + 20));
    add_tenant(master_of_a_process(), last, 1);
    write(line('b') + line('a'));
    EXPECT_EQ(rotate(master_of_a_process())->wrapped, 1U);
}

// Cut at any row: what was done is done, every secret opens, and the next run does the rest.
TEST_F(KeyRotationTest, ThatIsCutLosesNothingAndIsTakenUpAgain)
{
    const unsigned many = 2 * kSecretsAStep + 50;
    add_tenant(master_of_a_process(), 1, many);
    write(line('b') + line('a'));
    const dkim::MasterKey command = master_of_a_process();
    // PostgreSQL fails the rotation at its 150th row, and at each one after that.
    sql("create sequence public.rows; grant usage on sequence public.rows to pm_api;"
        "create function public.cut() returns trigger language plpgsql as $$ begin "
        "if nextval('public.rows') >= 150 then raise exception 'cut'; end if; return new; end $$;"
        "create trigger cut before update on control.dkim_keys for each row execute function public.cut()");
    EXPECT_FALSE(rotate(command));
    EXPECT_EQ(not_wrapped_by(command), std::to_string(many - kSecretsAStep)) << "a step is whole or not done";
    expect_all_open(command, 1, many);
    sql("drop trigger cut on control.dkim_keys");
    const auto rest = rotate(command);
    ASSERT_TRUE(rest) << rest.error().detail;
    EXPECT_EQ(rest->wrapped, many - kSecretsAStep);
    EXPECT_EQ(not_wrapped_by(command), "0");
    expect_all_open(command, 1, many);
}

TEST_F(KeyRotationTest, NamesWhatDoesNotOpenAndLeavesItAsItIs)
{
    add_tenant(master_of_a_process(), 1, 2);
    add_tenant(dkim::MasterKey::parse(std::string(32, 'x')).value(), 2, 1);
    const std::string before = sql("select md5(string_agg(sealed, '')) from control.dkim_keys where tenant_id = '" +
                                   tenant(2).value().text() + "'");
    write(line('b') + line('a'));
    const auto rotation = rotate(master_of_a_process());
    ASSERT_TRUE(rotation) << rotation.error().detail;
    EXPECT_EQ(rotation->wrapped, 2U);
    ASSERT_EQ(rotation->unopened.size(), 1U);
    EXPECT_TRUE(rotation->unopened.front().starts_with(tenant(2).value().text() + " d2.example/s0: "));
    EXPECT_EQ(sql("select md5(string_agg(sealed, '')) from control.dkim_keys where tenant_id = '" +
                  tenant(2).value().text() + "'"),
              before);
}

TEST_F(KeyRotationTest, WithoutPostgresSaysSo)
{
    Registry metrics;
    db::Database none{io_.get_executor(), db::TierDsns::all("host=/nonexistent"), {}, metrics};
    EXPECT_EQ(run(io_, rotate_encryption_key(none.control, master_of_a_process())).error().code, Errc::unavailable);
}

} // namespace
} // namespace penguin::control
