// bench/micro/octets.h
// What all subjects share: the sizes of messages, a message of a size, and the label that names a benchmark's limits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace penguin::bench::micro {

inline constexpr std::int64_t kSizes[] = {2'048, 10'240, 102'400}; // octets of a message

// Runs it for each of kSizes.
inline void all_sizes(benchmark::internal::Benchmark* benchmark)
{
    for (const std::int64_t size : kSizes) benchmark->Arg(size);
}

// A body of text lines, CRLF; every 20th line begins with a dot.
inline std::string body_of(std::size_t size)
{
    constexpr std::string_view kLine =
        "The quick brown fox jumps over the lazy dog, and then it does it all again.\r\n";
    constexpr std::size_t kDotEvery = 20;
    std::string body;
    for (std::size_t line = 1; body.size() + kLine.size() + 1 <= size; ++line) {
        if (line % kDotEvery == 0) body += '.';
        body += kLine;
    }
    return body + std::string(size - body.size() - 2, 'x') + "\r\n";
}

// `size` octets with their header.
inline std::string message_of(std::size_t size)
{
    std::string header = "Date: Tue, 24 Nov 2026 04:29:07 +0000\r\n"
                         "Message-ID: <0190a000-0000-7000-8000-000000000001.17@example.com>\r\n"
                         "From: Sales of Example <sales@example.com>\r\n"
                         "To: Ann Other <ann@customer.example>\r\n"
                         "Subject: A question about your order of last week\r\n"
                         "MIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "List-Unsubscribe: <https://u.example.com/u/0190a000000070008000000000000001>\r\n"
                         "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
                         "\r\n";
    return header + body_of(size - header.size());
}

// Names the limits of the machine that this benchmark stands beside, joined by '+': memcpy/N, sha256/N (octets), rsa2048,
// ed25519. They are measured in the same run.
inline void stands_beside(benchmark::State& state, const std::string& limits) { state.SetLabel(limits); }
inline void processed(benchmark::State& state, std::size_t octets)
{
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
}
inline void stands_beside_copy(benchmark::State& state, std::size_t octets)
{
    processed(state, octets);
    stands_beside(state, "memcpy/" + std::to_string(octets));
}

} // namespace penguin::bench::micro
