#include "tests/support/postgres_server.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/db/migrations.h"

namespace penguin::test {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartLimit{60};
constexpr std::string_view kTemplate = "template_migrated";

std::string bin_folder()
{
    for (const int version : {17, 16, 15}) {
        const std::string folder = fmt::format("/usr/lib/postgresql/{}/bin", version);
        if (fs::exists(folder + "/postgres")) return folder;
    }
    throw std::runtime_error{"no PostgreSQL server is installed (package postgresql)"};
}

const passwd* postgres_user()
{
    const passwd* user = getpwnam("postgres");
    if (user == nullptr) throw std::runtime_error{"no user postgres"};
    return user;
}

// Starts a program without a shell; as root it becomes the user postgres. Its output goes to `log`.
int start_process(const std::vector<std::string>& words, const std::string& log)
{
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const bool root = geteuid() == 0;
    const passwd* user = root ? postgres_user() : nullptr;
    const int pid = fork();
    if (pid < 0) throw std::runtime_error{"fork failed"};
    if (pid > 0) return pid;
    if (user != nullptr && (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGINT); // a test that crashes leaves no server
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    if (chdir("/") != 0) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
}

int wait_for(int pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

PostgresServer& PostgresServer::instance()
{
    static PostgresServer server;
    return server;
}

PostgresServer::PostgresServer()
{
    std::string name = (fs::temp_directory_path() / "pgtest-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    folder_ = name;
    if (geteuid() == 0 && chown(folder_.c_str(), postgres_user()->pw_uid, postgres_user()->pw_gid) != 0)
        throw std::runtime_error{"chown of the temporary folder failed"};
    const int initdb = start_process({bin_folder() + "/initdb", "-D", folder_ + "/data", "-U", "postgres", "-A",
                                      "trust", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"},
                                     folder_ + "/log");
    if (wait_for(initdb) != 0) throw std::runtime_error{"initdb failed, see " + folder_ + "/log"};
    start();
    sql("postgres", fmt::format("create database {}", kTemplate));
    const Result<std::vector<std::string>> migrated =
        control::db::migrate(control::db::TierDsns::all(dsn(kTemplate)), control::db::embedded_migrations());
    if (!migrated) throw std::runtime_error{"migrations: " + migrated.error().detail};
}

PostgresServer::~PostgresServer()
{
    stop();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void PostgresServer::start()
{
    pid_ = start_process({bin_folder() + "/postgres",
                          "-D",
                          folder_ + "/data",
                          "-k",
                          folder_,
                          "-c",
                          "listen_addresses=",
                          "-c",
                          "fsync=off",
                          "-c",
                          "synchronous_commit=off",
                          "-c",
                          "full_page_writes=off",
                          "-c",
                          "max_connections=50",
                          "-c",
                          "shared_buffers=32MB",
                          "-c",
                          "jit=off",
                          "-c",
                          "autovacuum=off"},
                         folder_ + "/log");
    const auto until = std::chrono::steady_clock::now() + kStartLimit;
    while (PQping(dsn("postgres").c_str()) != PQPING_OK) {
        if (std::chrono::steady_clock::now() > until || waitpid(pid_, nullptr, WNOHANG) == pid_)
            throw std::runtime_error{"PostgreSQL did not start, see " + folder_ + "/log"};
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

void PostgresServer::stop()
{
    if (pid_ == 0) return;
    kill(pid_, SIGINT);
    wait_for(pid_);
    pid_ = 0;
}

std::string PostgresServer::dsn(std::string_view database, std::string_view user) const
{
    return fmt::format("host={} dbname={} user={}", folder_, database, user);
}

std::string PostgresServer::sql(std::string_view database, const std::string& statements) const
{
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectdb(dsn(database).c_str()), PQfinish};
    PQsetNoticeReceiver(connection.get(), [](void*, const PGresult*) {}, nullptr);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQexec(connection.get(), statements.c_str()), PQclear};
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error{PQerrorMessage(connection.get())};
    if (PQntuples(result.get()) == 0 || PQnfields(result.get()) == 0) return "";
    return PQgetvalue(result.get(), 0, 0);
}

std::string PostgresServer::empty_database()
{
    const std::string name = fmt::format("test_{}", ++databases_);
    sql("postgres", "create database " + name);
    return name;
}

std::string PostgresServer::migrated_database()
{
    const std::string name = fmt::format("test_{}", ++databases_);
    sql("postgres", fmt::format("create database {} template {}", name, kTemplate));
    return name;
}

} // namespace penguin::test
