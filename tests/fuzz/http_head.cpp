// The octets of a request's head: the same answer however they are cut, and a whole head has whole line ends only.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/http/head_octets.h"

using namespace penguin::control::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::size_t step = 1 + data[0] % 7;
    const std::string_view seen{reinterpret_cast<const char*>(data) + 1, size - 1};
    HeadOctets at_once;
    const HeadState state = at_once.look(seen);
    HeadOctets in_pieces;
    HeadState piecewise = HeadState::need_more;
    for (std::size_t end = 0; piecewise == HeadState::need_more && end < seen.size() + step; end += step)
        piecewise = in_pieces.look(seen.substr(0, end));
    if (piecewise != state) std::abort();
    if (fault_of(state).empty() != (state == HeadState::whole || state == HeadState::need_more)) std::abort();
    if (state != HeadState::whole) return 0;
    const std::string_view head = seen.substr(0, seen.find("\r\n\r\n") + 4);
    for (std::size_t i = 0; i < head.size(); ++i) {
        if (head[i] == '\n' && (i == 0 || head[i - 1] != '\r')) std::abort();
        if (head[i] == '\r' && (i + 1 == head.size() || head[i + 1] != '\n')) std::abort();
        if (head[i] == '\0') std::abort();
    }
    return 0;
}
