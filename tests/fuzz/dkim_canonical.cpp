// DKIM's relaxed forms: canonical text of canonical text is itself, and the look at a message loses no octet.
#include <cassert>

#include "dkim/canonical.h"

using namespace penguin::dkim;

namespace {

std::string body_of(std::string_view body)
{
    std::string out;
    relaxed_body(body, [&](std::string_view piece) {
        assert(!piece.empty());
        out += piece;
    });
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view message{reinterpret_cast<const char*>(data), size};
    const std::string body = body_of(message);
    assert(body_of(body) == body);
    static_cast<void>(tag_value(message, "d"));
    const auto view = view_message(message);
    if (!view) return 0;
    std::size_t octets = view->body.size();
    for (const HeaderField& field : view->fields) {
        octets += field.text.size();
        std::string once;
        relaxed_field(field.text, once);
        std::string twice;
        relaxed_field(once, twice);
        assert(once == twice && once.ends_with("\r\n") && once.find('\n') == once.size() - 1);
    }
    assert(octets == size || octets + 2 == size); // and the empty line
    return 0;
}
