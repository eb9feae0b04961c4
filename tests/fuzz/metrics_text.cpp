// What a node tells of itself at /metrics, as penguinctl reads it: written again it is read as the same, and a frame of it obeys no
// terminal.
#include <algorithm>

#include <fmt/format.h>

#include "control/ctl/top_frame.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using namespace penguin::control::ctl;
using fuzz::check;

namespace {

std::string quoted(const std::string& value)
{
    std::string out = "\"";
    for (const char c : value) out += c == '\\' || c == '"' ? std::string{'\\', c} : c == '\n' ? "\\n" : std::string{c};
    return out + '"';
}

std::string written(const Metrics& metrics)
{
    std::string out;
    for (const Sample& sample : metrics.samples()) {
        out += sample.name + "{";
        for (const auto& [name, value] : sample.labels) out += name + "=" + quoted(value) + ",";
        out += fmt::format("}} {}\n", sample.value);
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto metrics = Metrics::parse({reinterpret_cast<const char*>(data), size});
    if (!metrics) {
        check(metrics.error().code == Errc::malformed || metrics.error().code == Errc::too_long);
        return 0;
    }
    const auto again = Metrics::parse(written(*metrics));
    check(again && again->samples().size() == metrics->samples().size());
    for (std::size_t i = 0; i < again->samples().size(); ++i) {
        const Sample& one = metrics->samples()[i];
        const Sample& other = again->samples()[i];
        check(one.name == other.name && one.labels == other.labels && one.value == other.value);
    }
    const std::string frame = top_frame(std::nullopt, {.metrics = *metrics, .at = {}});
    check(std::ranges::none_of(frame, [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7F; }));
    return 0;
}
