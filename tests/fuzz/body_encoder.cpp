// A message goes out behind DATA and comes in again at a server: the same message, however it is cut, and nothing in it
// ends it early. The first octet says how it is cut.
#include "engine/smtp/body_encoder.h"
#include "engine/smtp/content_decoder.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;

namespace {

std::string encoded(const smtp::Body& body)
{
    std::string wire;
    smtp::BodyEncoder encoder{body};
    while (!encoder.last()) {
        std::size_t octets = 0;
        const auto pieces = encoder.next();
        check(!pieces.empty() && pieces.size() <= smtp::BodyEncoder::kPiecesMax);
        for (const std::string_view piece : pieces) {
            octets += piece.size();
            wire += piece;
        }
        check(octets <= smtp::BodyEncoder::kWriteMax);
    }
    return wire;
}

// What any octets are to a server: must end by themselves, and say the same however they are cut.
struct Decoded {
    std::string content;
    bool ended = false;
    bool faulty = false;
    std::size_t left = 0;
};

Decoded decoded(std::string_view wire, std::size_t length)
{
    smtp::ContentDecoder decoder;
    Decoded out;
    while (!wire.empty() && !out.ended) {
        std::string_view input = wire.substr(0, length);
        wire.remove_prefix(input.size());
        while (!input.empty() && !out.ended) {
            const std::size_t before = input.size();
            const auto piece = decoder.take(input);
            check(input.size() < before || piece.ended);
            out.content += piece.content;
            out.ended = piece.ended;
        }
        out.left = input.size() + wire.size();
    }
    out.faulty = decoder.fault().has_value();
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::size_t length = data[0] % 19 + 1U;
    const std::string_view message{reinterpret_cast<const char*>(data) + 1, size - 1};

    const Decoded whole = decoded(message, message.size() + 1);
    const Decoded cut = decoded(message, length);
    check(whole.ended == cut.ended && whole.content == cut.content && whole.left == cut.left &&
          whole.faulty == cut.faulty);

    const Result<smtp::Body> body = smtp::Body::check(message);
    if (!body) return 0;
    const std::string wire = encoded(*body);
    const Decoded heard = decoded(wire, length);
    check(heard.ended && heard.left == 0 && !heard.faulty);
    check(heard.content.size() == body->size() && heard.content.starts_with(message));
    const std::string_view added = std::string_view{heard.content}.substr(message.size());
    check(added.empty() || added == "\r\n");
    return 0;
}
