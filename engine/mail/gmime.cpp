#include "engine/mail/gmime.h"

#include "engine/mail/header_encoding.h"
#include "engine/mail/transfer_encoding.h"

namespace penguin::gmime {

void ready()
{
    static const bool done = [] {
        g_mime_init();
        return true;
    }();
    static_cast<void>(done);
}

std::string take(char* text)
{
    std::string out = text == nullptr ? std::string{} : std::string{text};
    g_free(text);
    return out;
}

Handle<GMimeStream> memory_stream(std::string_view bytes)
{
    ready();
    return Handle<GMimeStream>{g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size())};
}

std::string text_of(GMimeObject* part)
{
    const Handle<GMimeStream> stream{g_mime_stream_mem_new()};
    g_mime_object_write_to_stream(part, nullptr, stream.get());
    const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
    std::string text = with_crlf({reinterpret_cast<const char*>(bytes->data), bytes->len});
    if (!text.ends_with("\r\n")) text += "\r\n";
    return text;
}

std::string decoded_text(const std::string& value)
{
    ready();
    return one_line(take(g_mime_utils_header_decode_text(nullptr, value.c_str())));
}

std::string encoded_mailboxes(const std::string& list)
{
    ready();
    const Handle<InternetAddressList> mailboxes{internet_address_list_parse(nullptr, list.c_str())};
    if (!mailboxes) return {};
    for (int i = 0; i < internet_address_list_length(mailboxes.get()); ++i)
        internet_address_set_charset(internet_address_list_get_address(mailboxes.get(), i), "utf-8");
    return one_line(take(internet_address_list_to_string(mailboxes.get(), nullptr, 1)));
}

} // namespace penguin::gmime
