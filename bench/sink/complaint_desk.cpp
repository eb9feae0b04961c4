#include "bench/sink/complaint_desk.h"

#include <fstream>

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "bench/sink/plain_mail.h"

namespace penguin::bench {

ComplaintDesk::ComplaintDesk(ProviderReports reports, Options options, DomainName host)
    : reports_{std::move(reports)},
      options_{std::move(options)},
      host_{std::move(host)}
{
    if (options_.to) reports_.to = options_.to;
}

Result<> ComplaintDesk::open()
{
    if (options_.via && !reports_.to) return fail(Errc::bad_value, "reports by mail need an address that they go to");
    if (options_.folder.empty()) return {};
    std::error_code code;
    std::filesystem::create_directories(options_.folder, code);
    if (code) return fail(Errc::local_fault, options_.folder.string() + ": " + code.message());
    return {};
}

std::optional<std::uint64_t> ComplaintDesk::next_number(SteadyTime now)
{
    const std::scoped_lock lock{mutex_};
    if (of_minute_ == 0 || now - minute_began_ >= std::chrono::minutes{1}) {
        minute_began_ = now;
        of_minute_ = 0;
    }
    if (of_minute_ >= reports_.per_minute || numbered_ >= reports_.most) return std::nullopt;
    ++of_minute_;
    return ++numbered_;
}

void ComplaintDesk::report(Complaint complaint, SteadyTime now, const asio::any_io_executor& executor)
{
    const std::optional<std::uint64_t> number = next_number(now);
    if (!number) {
        ++over_;
        return;
    }
    complaint.from = reports_.from.text();
    complaint.to = reports_.to ? reports_.to->text() : "";
    complaint.reporting_host = host_.text();
    complaint.number = *number;
    complaint.redact = reports_.redact;
    std::string report = abuse_report(complaint);
    if (!options_.folder.empty())
        write(std::to_string(to_unix_ms(complaint.arrived)) + "-" + std::to_string(::getpid()) + "-" +
                  std::to_string(*number) + ".eml",
              report);
    if (!options_.via) return;
    if (under_way_.fetch_add(1) >= kUnderWayMax) {
        --under_way_;
        ++failed_;
        return;
    }
    asio::co_spawn(executor, mail(std::move(report)), asio::detached);
}

void ComplaintDesk::write(const std::string& name, const std::string& report)
{
    std::ofstream file{options_.folder / name, std::ios::binary};
    file << report;
    file.close();
    ++(file ? written_ : failed_);
}

awaitable<void> ComplaintDesk::mail(std::string report)
{
    const SteadyTime deadline = std::chrono::steady_clock::now() + kMailMax;
    const PlainMail mail{reports_.from, *reports_.to, std::move(report)};
    Result<std::unique_ptr<PlainClient>> client = co_await PlainClient::open({*options_.via, host_}, deadline);
    bool taken = false;
    if (client) {
        const Result<smtp::Reply> reply = co_await (*client)->send(mail, deadline);
        taken = reply && reply->positive();
        co_await (*client)->quit(deadline);
    }
    ++(taken ? sent_ : failed_);
    --under_way_;
}

std::string ComplaintDesk::to_json() const
{
    return R"({"written":)" + std::to_string(written_) + R"(,"sent":)" + std::to_string(sent_) + R"(,"failed":)" +
           std::to_string(failed_) + R"(,"over_the_bounds":)" + std::to_string(over_) + "}";
}

} // namespace penguin::bench
