// A message from a client: what is taken is normal for ever, has one From, and renders with no field more.
#include <algorithm>
#include <cassert>

#include "engine/mail/raw_message.h"

using namespace penguin;

namespace {

std::vector<std::string> names_of(std::string_view message)
{
    std::vector<std::string> names;
    for (const RawField& field : cut_raw(message).value().fields) names.emplace_back(field.name);
    return names;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Result<RawContent> raw = raw_from_client({reinterpret_cast<const char*>(data), size});
    if (!raw) return 0;
    assert(!raw->message.contains('\0'));
    const Result<RawContent> again = raw_from_client(raw->message);
    assert(again && again->message == raw->message && again->from == raw->from);
    raw->has_variables = true;
    const auto compiled = CompiledContent::compile(*raw);
    if (!compiled) return 0;
    const EmailAddress to = EmailAddress::parse("ann@example.org").value();
    const auto plain = (*compiled)->render({{BatchId{}, 1}, to, R"({"name":"x"})", WallTime{}});
    const auto hostile = (*compiled)->render({{BatchId{}, 1}, to, R"({"name":"x\r\nBcc: y\r\n\r\n"})", WallTime{}});
    if (plain && hostile) assert(names_of(*plain) == names_of(*hostile));
    return 0;
}
