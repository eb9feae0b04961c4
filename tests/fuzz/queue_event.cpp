// Events are read from a stream that others can write to, and hold what servers said. Both ways: what parses is written and
// parses again; whatever a reply holds, the event that carries it parses.
#include <cstdint>
#include <cstdlib>

#include "engine/queue/event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using penguin::queue::Event;
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    if (const auto event = Event::parse(input)) {
        const auto again = Event::parse(event->to_json());
        if (!again || again->to_json() != event->to_json()) std::abort();
    }
    Event event;
    event.id = "x";
    event.reply = input;
    event.remote = input;
    if (!Event::parse(event.to_json())) std::abort();
    return 0;
}
