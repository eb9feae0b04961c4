#include "engine/base/crash_point.h"

#ifdef PENGUIN_CRASH_POINTS

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

namespace penguin {

namespace {

struct Chosen {
    std::string name;
    std::atomic<int> left{1};
};

Chosen& chosen()
{
    static Chosen value;
    static const bool read = [] {
        const char* text = std::getenv("PENGUIN_CRASH_AT");
        const std::string_view all = text == nullptr ? "" : text;
        const auto colon = all.find(':');
        value.name = all.substr(0, colon);
        if (colon == std::string_view::npos) return true;
        int count = 1;
        std::from_chars(all.data() + colon + 1, all.data() + all.size(), count);
        value.left = count;
        return true;
    }();
    (void)read;
    return value;
}

} // namespace

void crash_point(std::string_view name)
{
    Chosen& point = chosen();
    if (point.name != name) return;
    if (point.left.fetch_sub(1) == 1) std::raise(SIGKILL);
}

} // namespace penguin

#endif
