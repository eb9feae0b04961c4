// Base64 of clients, producers and DNS: two readers of ours, which agree, and never take what they would not write.
#include "engine/mail/base64.h"
#include "engine/queue/base64.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check(from_base64(to_base64(text)) == text && queue::parse_base64(queue::base64(text)) == text);
    check(to_base64(text) == queue::base64(text));
    const Result<std::string> plain = from_base64(text);
    const Result<std::string> strict = queue::parse_base64(text);
    if (strict) check(plain == *strict && queue::base64(*strict) == text);
    if (plain) check(from_base64(text, WhiteSpace::skipped) == *plain);
    if (const Result<std::string> spaced = from_base64(text, WhiteSpace::skipped)) {
        check(spaced->size() <= size);
        check(from_base64(to_base64(*spaced)) == *spaced);
    }
    return 0;
}
