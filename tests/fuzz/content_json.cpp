// The JSON of a content: what parses is stable, compiles or says why, and renders into a safe message.
#include <algorithm>
#include <cassert>

#include "engine/mail/content.h"

using namespace penguin;

namespace {

void check(std::string_view message)
{
    assert(message.ends_with("\r\n") && message.contains("\r\n\r\n"));
    std::size_t line = 0;
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] == '\n') assert(i > 0 && message[i - 1] == '\r');
        if (message[i] == '\r') assert(i + 1 < message.size() && message[i + 1] == '\n');
        assert(message[i] != '\0');
        line = message[i] == '\n' ? 0 : line + 1;
        assert(line <= 999); // 998 and the CR
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Result<Content> content = parse_content({reinterpret_cast<const char*>(data), size});
    if (!content) return 0;
    const std::string json = to_json(*content);
    const Result<Content> again = parse_content(json);
    assert(again && to_json(*again) == json);
    const auto compiled = CompiledContent::compile(*content);
    if (!compiled) return 0;
    const Result<std::string> message = (*compiled)->render({{BatchId{}, 1},
                                                             EmailAddress::parse("ann@example.org").value(),
                                                             R"({"name":"A\r\nX: y\u00e9","list":[{"a":1},2]})",
                                                             WallTime{}});
    if (message) check(*message);
    return 0;
}
