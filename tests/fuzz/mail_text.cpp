// Anybody's text in header fields and bodies: it comes out whole, in lines that servers take, and breaks out of nothing.
#include <cassert>

#include "engine/base/utf8.h"
#include "engine/mail/header_encoding.h"
#include "engine/mail/transfer_encoding.h"

using namespace penguin;

namespace {

// The value of one field, its line folding undone. The field must be one.
std::string value_of(const std::string& field)
{
    constexpr std::string_view kStart = "X-Name: ";
    assert(field.starts_with(kStart.substr(0, 7)) && field.ends_with("\r\n"));
    std::string value;
    std::size_t line = 0;
    for (std::size_t i = 0; i < field.size(); ++i) {
        assert(field[i] != '\0');
        if (field[i] == '\r') assert(i + 1 < field.size() && field[i + 1] == '\n');
        if (field[i] == '\n') assert(i > 0 && field[i - 1] == '\r');
        line = field[i] == '\n' ? 0 : line + 1;
        assert(line <= kFieldLineMax + 1);
        if (field[i] == '\n' && i + 1 < field.size()) assert(field[i + 1] == ' ' || field[i + 1] == '\t');
        if (field[i] != '\r' && field[i] != '\n' && i >= kStart.size()) value += field[i];
    }
    return value;
}

int hex(char c) { return c >= 'A' ? c - 'A' + 10 : c - '0'; }

std::string from_quoted_printable(std::string_view text)
{
    std::string out;
    std::size_t line = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        assert(static_cast<unsigned char>(text[i]) < 0x80);
        line = text[i] == '\n' ? 0 : line + 1;
        assert(line <= 77); // 76 and the CR
        if (text[i] != '=') {
            out += text[i];
            continue;
        }
        assert(i + 2 < text.size());
        if (text[i + 1] != '\r') out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
        if (text[i + 1] == '\r') line = 0;
        i += 2;
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const std::string line = one_line(text);
    assert(is_utf8(line) && one_line(line) == line && !line.contains('\n') && !line.contains('\r'));
    assert(is_utf8(decoded_text(text)));

    std::string field;
    append_unstructured("X-Name", text, field);
    const std::string value = value_of(field);
    assert(is_ascii(value));
    field.clear();
    append_mailboxes("X-Name", text, field);
    value_of(field);

    std::string body;
    append_quoted_printable(text, body);
    assert(from_quoted_printable(body) == with_crlf(text));
    return 0;
}
