// control/http/head_octets.h
// Looks at the octets of a request's head before they are parsed, for line ends that two readers may read in two ways.
//
//   in      what has come so far, from the request's first octet; any slicing of the stream gives the same answer
//   out     need_more, whole (the empty line is there), or the rule that was broken first
//   refused a LF without its CR, a CR without its LF, a field that goes on in a second line (obs-fold), NUL
//   source  RFC 9112 2.2 (bare CR), 5.2 (obs-fold: refused rather than replaced), 11.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penguin::control::http {

enum class HeadState : std::uint8_t { need_more, whole, bare_lf, bare_cr, folded, nul };

class HeadOctets {
public:
    // `seen`: everything so far; what was looked at in an earlier call is not looked at again.
    HeadState look(std::string_view seen);

private:
    std::size_t looked_ = 0;
};

// For people; "" when nothing is wrong.
std::string_view fault_of(HeadState state);

} // namespace penguin::control::http
