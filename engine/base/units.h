// engine/base/units.h
// Times and sizes as people write them in files: "500ms", "30s", "4d12h"; "64KiB", "1GiB".
//
//   errors  bad_value; the detail is one sentence that says what would be right
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin {

// Units d, h, m, s, ms in falling order, each once.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::milliseconds time); // parse_duration's inverse; "0s" for none
// Octets: B, KiB, MiB, GiB.
Result<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t size); // parse_size's inverse

} // namespace penguin
