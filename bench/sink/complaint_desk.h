// bench/sink/complaint_desk.h
// Where complaints become reports: files of a folder, mail to an address, or both.
//
//   files    <folder>/<time_ms>-<pid>-<n>.eml, written before the sender gets its 250; a write that fails is counted
//   mail     by SMTP in clear, a connection each, no second attempt; kUnderWayMax at a time
//   bounds   ProviderReports: per_minute (of the sink's clock, a minute begins with its first report), most. What is more
//            is not reported, and counted
//   errors   open(): local_fault
//   threads  any
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "bench/sink/abuse_report.h"
#include "bench/sink/sink_profile.h"
#include "engine/base/asio.h"

namespace penguin::bench {

class ComplaintDesk {
public:
    static constexpr std::size_t kUnderWayMax = 100; // mails
    static constexpr std::chrono::seconds kMailMax{30};

    struct Options {
        std::filesystem::path folder;               // empty: no files
        std::optional<EmailAddress> to;             // over the profile's
        std::optional<asio::ip::tcp::endpoint> via; // the server that takes the mail; without: no mail
    };

    ComplaintDesk(ProviderReports reports, Options options, DomainName host);
    ComplaintDesk(const ComplaintDesk&) = delete;
    ComplaintDesk& operator=(const ComplaintDesk&) = delete;

    // Makes the folder. bad_value: mail that goes nowhere.
    Result<> open();
    // Fills in from, to, host, number and redact. Mail is sent on `executor`, which ends before this does.
    void report(Complaint complaint, SteadyTime now, const asio::any_io_executor& executor);
    // {written, sent, failed, over_the_bounds}
    std::string to_json() const;

private:
    std::optional<std::uint64_t> next_number(SteadyTime now); // nothing: over the bounds
    void write(const std::string& name, const std::string& report);
    awaitable<void> mail(std::string report);

    ProviderReports reports_;
    Options options_;
    DomainName host_;
    std::mutex mutex_; // of the next three
    SteadyTime minute_began_{};
    std::uint32_t of_minute_ = 0;
    std::uint64_t numbered_ = 0;
    std::atomic<std::size_t> under_way_{0};
    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::uint64_t> over_{0};
};

} // namespace penguin::bench
