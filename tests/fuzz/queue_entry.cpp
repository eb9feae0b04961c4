// Entries come from any producer. What parses is written in one form, and that form parses to the same entry.
#include <cstdint>
#include <cstdlib>

#include "engine/queue/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using penguin::queue::Entry;
    const auto entry = Entry::parse({reinterpret_cast<const char*>(data), size});
    if (!entry) return 0;
    const std::string text = entry->to_json();
    const auto again = Entry::parse(text);
    // Only what is longer in our form than in the producer's may be refused now.
    if (!again && text.size() <= penguin::queue::kEntryMax) std::abort();
    if (again && again->to_json() != text) std::abort();
    return 0;
}
