// tests/support/dns_server.h
// A real DNS server (nsd of Debian) on an ephemeral port of 127.0.0.1, with the zones that a test gives.
//
//   use     DnsServer dns{{{"a.example", R"(
//               @ 300 IN MX 10 mx
//               mx 300 IN A 127.0.0.2)"}}};
//           ... dns.server() ...                         // "127.0.0.1:38471"
//   zones   the text follows an SOA (TTL 60, minimum 30) and an NS that we put in front; "." is a zone of its own and
//           answers for every name. Other names than those of the zones are REFUSED. Every line names its owner:
//           white space in front of a line is removed, so that a test may indent
//   ends    with the object: its process group, by id; with the test, whatever becomes of it (PDEATHSIG)
//   errors  std::runtime_error with nsd's own log: nsd is not installed, a zone has an error
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace penguin::tests {

class DnsServer {
public:
    struct Zone {
        std::string origin; // "a.example" or "."
        std::string records;
    };

    explicit DnsServer(const std::vector<Zone>& zones);
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;
    ~DnsServer();

    std::uint16_t port() const { return port_; }
    std::string server() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    void write_files(const std::vector<Zone>& zones) const;
    void start();
    bool answers() const;
    void stop();
    std::string log_text() const;

    std::filesystem::path folder_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

} // namespace penguin::tests
