// Recipients as a batch's row keeps them: what goes in comes out, and a damaged chunk is an error.
#include "control/db/compression.h"
#include "control/submit/recipients.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    static_cast<void>(submit::unpack_chunk(text)); // not zlib, for the most
    const std::string packed = db::compress(text);
    check(db::decompress(packed, size) == text && (size == 0 || !db::decompress(packed, size - 1)));
    const auto recipients = submit::unpack_chunk(packed);
    if (!recipients || recipients->empty()) return 0;
    std::vector<submit::StoredRecipient> again;
    for (const db::Bytes& chunk : submit::pack_recipients(*recipients))
        for (submit::StoredRecipient& one : submit::unpack_chunk(chunk.value).value()) again.push_back(std::move(one));
    check(again.size() == recipients->size());
    for (std::size_t i = 0; i < again.size(); ++i) {
        check(again[i].to == (*recipients)[i].to);
        // The last digit of a number of more than 17 may change: Boost.JSON 1.81 reads those to one place in the last.
        const auto fixed = [](std::string vars) {
            std::erase_if(
                vars, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == 'E' || c == '-' || c == '+'; });
            return vars;
        };
        check(fixed(again[i].vars) == fixed((*recipients)[i].vars));
    }
    return 0;
}
