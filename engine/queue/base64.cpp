#include "engine/queue/base64.h"

#include <openssl/evp.h>

namespace penguin::queue {

std::string base64(std::string_view octets)
{
    std::string out((octets.size() + 2) / 3 * 4 + 1, '\0'); // EVP_EncodeBlock adds a NUL
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

Result<std::string> parse_base64(std::string_view text)
{
    std::string out(text.size() / 4 * 3, '\0');
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    if (size < 0 || static_cast<std::size_t>(size) < padding) return fail(Errc::malformed, "not base64");
    out.resize(static_cast<std::size_t>(size) - padding);
    // OpenSSL takes spaces at the ends and unused bits that are set: only the one true form comes back equal.
    if (base64(out) != text) return fail(Errc::malformed, "not base64 as RFC 4648 4 writes it");
    return out;
}

} // namespace penguin::queue
