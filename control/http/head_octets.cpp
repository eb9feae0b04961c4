#include "control/http/head_octets.h"

namespace penguin::control::http {

HeadState HeadOctets::look(std::string_view seen)
{
    for (; looked_ < seen.size(); ++looked_) {
        const char c = seen[looked_];
        const char before = looked_ > 0 ? seen[looked_ - 1] : '\0';
        if (before == '\r' && c != '\n') return HeadState::bare_cr;
        if (c == '\0') return HeadState::nul;
        const bool line_starts = looked_ >= 2 && before == '\n';
        if (line_starts && (c == ' ' || c == '\t')) return HeadState::folded;
        if (c != '\n') continue;
        if (before != '\r') return HeadState::bare_lf;
        const bool line_is_empty = looked_ >= 3 && seen[looked_ - 2] == '\n';
        if (line_is_empty) return HeadState::whole;
    }
    return HeadState::need_more;
}

std::string_view fault_of(HeadState state)
{
    switch (state) {
    case HeadState::need_more:
    case HeadState::whole: return "";
    case HeadState::bare_lf: return "A line of the head ends without CR.";
    case HeadState::bare_cr: return "A CR in the head has no LF behind it.";
    case HeadState::folded: return "A header field goes on in a second line.";
    case HeadState::nul: return "The head holds NUL.";
    }
    return "";
}

} // namespace penguin::control::http
