#include "control/http/head_octets.h"

#include <string>

#include <gtest/gtest.h>

namespace penguin::control::http {
namespace {

struct HeadCase {
    const char* name;
    std::string octets;
    HeadState state;
};
void PrintTo(const HeadCase& row, std::ostream* out) { *out << row.name; }

const HeadCase kHeads[] = {
    {"Whole", "GET / HTTP/1.1\r\nHost: t\r\n\r\n", HeadState::whole},
    {"WholeWithABodyBehind", "GET / HTTP/1.1\r\nHost: t\r\n\r\n\n\r x", HeadState::whole},
    {"NoFields", "GET / HTTP/1.0\r\n\r\n", HeadState::whole},
    {"Nothing", "", HeadState::need_more},
    {"NotDone", "GET / HTTP/1.1\r\nHost: t\r\n\r", HeadState::need_more},
    {"BareLf", "GET / HTTP/1.1\r\nHost: t\nX: y\r\n\r\n", HeadState::bare_lf},
    {"BareLfOnly", "GET / HTTP/1.1\nHost: t\n\n", HeadState::bare_lf},
    {"BareLfInTheEmptyLine", "GET / HTTP/1.1\r\nHost: t\r\n\n", HeadState::bare_lf},
    {"LfFirst", "\nGET / HTTP/1.1\r\n\r\n", HeadState::bare_lf},
    {"BareCr", "GET / HTTP/1.1\r\nHost: t\rX: y\r\n\r\n", HeadState::bare_cr},
    {"CrCrLf", "GET / HTTP/1.1\r\nHost: t\r\r\n\r\n", HeadState::bare_cr},
    {"FoldedBySpace", "GET / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", HeadState::folded},
    {"FoldedByTab", "GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", HeadState::folded},
    {"FoldedFirst", "GET / HTTP/1.1\r\n X: a\r\n\r\n", HeadState::folded},
    {"Nul", std::string("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 26), HeadState::nul},
};

class HeadOctetsTest : public testing::TestWithParam<HeadCase> {};

TEST_P(HeadOctetsTest, SaysTheSameHoweverTheOctetsAreCut)
{
    const std::string& all = GetParam().octets;
    for (std::size_t step = 1; step <= all.size() + 1; ++step) {
        HeadOctets octets;
        HeadState state = HeadState::need_more;
        for (std::size_t size = 0; state == HeadState::need_more && size < all.size() + step; size += step)
            state = octets.look(std::string_view{all}.substr(0, size));
        EXPECT_EQ(state, GetParam().state) << "in pieces of " << step;
    }
}
INSTANTIATE_TEST_SUITE_P(Rfc9112, HeadOctetsTest, testing::ValuesIn(kHeads),
                         [](const auto& row) { return row.param.name; });

} // namespace
} // namespace penguin::control::http
