// Strict JSON: never more lenient than Boost.JSON, and of equal meaning where both take the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <boost/json/parse.hpp>

#include "control/json/strict_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto strict = penguin::control::parse_strict_json(text);
    boost::json::error_code code;
    const auto plain = boost::json::parse(boost::json::string_view{text.data(), text.size()}, code);
    if (strict && (code || *strict != plain)) std::abort();
    if (!strict && strict.error().malformed.empty() == strict.error().duplicates.empty()) std::abort();
    if (!strict && strict.error().octet > size) std::abort();
    return 0;
}
