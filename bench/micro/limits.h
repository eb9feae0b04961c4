// bench/micro/limits.h
// What this machine can do at best: a bare OpenSSL operation, a copy. Registered with Google Benchmark when a benchmark
// stands beside them, so that they are measured in the same run.
//
//   names   memcpy/N, sha256/N (octets), rsa2048, ed25519 (bare signatures with an opened key)
//   errors  false: no such limit
#pragma once

#include <string>

namespace penguin::bench::micro {

inline constexpr char kLimitPrefix[] = "limit/";

// Once a name; again does nothing. The benchmark is called kLimitPrefix + name.
bool register_limit(const std::string& name);

} // namespace penguin::bench::micro
