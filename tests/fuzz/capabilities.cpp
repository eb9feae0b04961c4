// What a server may write into its reply to EHLO, one keyword a line.
#include "engine/smtp/capabilities.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace penguin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    smtp::Reply reply;
    reply.code = 250;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        reply.lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const smtp::Capabilities offered = smtp::Capabilities::of_ehlo(reply);
    if (offered.name.size() > smtp::Capabilities::kNameMax || !offered.esmtp) std::abort();
    if (offered.size_limit && (!offered.size || *offered.size_limit == 0)) std::abort();
    return 0;
}
