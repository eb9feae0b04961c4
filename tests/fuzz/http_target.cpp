// Path and query of a request: decoded text is clean, and a segment survives encoding and decoding.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/http/message.h"
#include "engine/base/utf8.h"

using namespace penguin::control::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto target = Target::parse(std::string_view{reinterpret_cast<const char*>(data), size});
    if (!target) return 0;
    if (target->segments.empty() || target->segments.size() > Target::kSegmentsMax ||
        target->query.size() > Target::kQueryMax)
        std::abort();
    for (const std::string& segment : target->segments) {
        if (!penguin::is_clean_text(segment) || segment.find_first_of("\r\n") != std::string::npos) std::abort();
        const auto again = Target::parse("/" + percent_encoded(segment));
        if (!again || again->segments.size() != 1 || again->segments.front() != segment) std::abort();
    }
    return 0;
}
