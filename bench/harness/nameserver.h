// bench/harness/nameserver.h
// nsd with one zone, kZone: the sites' hosts, the recipients' domains spread over them, and what the senders must publish.
//
//   recipients  d<number>.<kZone>, its MX is the host of site number % sites
//   senders     t<number>.<kZone>
//   errors      BenchError
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/child.h"

namespace penguin::bench {

inline constexpr const char* kZone = "bench.test";

std::string recipient_domain(std::size_t number);
std::string sender_domain(std::size_t number);
std::string site_host(std::size_t number);
std::string source_host(std::size_t number);

// Lines of a zone file.
std::string mx_records(std::size_t domains, std::size_t sites);
std::string txt_record(const std::string& name, const std::string& value);

class Nameserver {
public:
    Nameserver(std::filesystem::path folder, std::uint16_t port, std::string address = "127.0.0.1");

    void start(Patience& patience, const std::string& records);
    std::string address() const { return address_ + ":" + std::to_string(port_); }
    pid_t pid() const { return child_->pid(); }

private:
    bool answers() const;

    std::filesystem::path folder_;
    std::uint16_t port_;
    std::string address_;
    std::unique_ptr<Child> child_;
};

} // namespace penguin::bench
