// Any client. The first octet gives the options, the second how the input is cut and who is refused. What is taken for a
// message must be free of what smuggling needs, and every turn must make progress.
#include "engine/smtp/server_dialogue.h"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace penguin;
using Event = smtp::ServerDialogue::Event;

constexpr std::size_t kTurnsMax = 100; // events an octet of input, far more than any can make

bool clean(const std::string& message)
{
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] == '\0') return false;
        if (message[i] == '\n' && (i == 0 || message[i - 1] != '\r')) return false;
        if (message[i] == '\r' && (i + 1 == message.size() || message[i + 1] != '\n')) return false;
    }
    return true;
}

smtp::ServerDialogue::Options options_of(std::uint8_t bits)
{
    smtp::ServerDialogue::Options options;
    options.starttls = (bits & 1) != 0;
    options.pipelining = (bits & 2) == 0;
    options.chunking = (bits & 4) == 0;
    options.size_max = (bits & 8) != 0 ? 64 : 1 << 20;
    return options;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    smtp::ServerDialogue dialogue{options_of(data[0])};
    dialogue.greet(smtp::Reply::make(220, {"ready"}));
    const std::size_t length = data[1] % 64 + 1U;
    std::size_t questions = 0;
    std::size_t turns = 0;
    std::string message;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
    while (!bytes.empty()) {
        std::string_view input = bytes.substr(0, length);
        bytes.remove_prefix(input.size());
        for (Event event = Event::content; event != Event::need_octets;) {
            if (++turns > kTurnsMax * size) std::abort();
            event = dialogue.next(input);
            if (event == Event::close) return 0;
            if (event == Event::content) message += dialogue.content();
            if (event == Event::aborted || event == Event::hello) message.clear();
            if (event == Event::message) {
                if (!clean(message) || message.size() != dialogue.message_size()) std::abort();
                if (dialogue.envelope().recipients.empty()) std::abort();
                message.clear();
            }
            const bool asks = event == Event::hello || event == Event::mail || event == Event::rcpt ||
                              event == Event::data || event == Event::message || event == Event::start_tls;
            if (!asks) continue;
            const bool refuse = data[1] >= 128 && ++questions % 5 == 0;
            if (refuse)
                dialogue.answer(smtp::Reply::make(450, {"4.2.0 no"}));
            else
                dialogue.accept();
            if (event == Event::start_tls && !refuse) dialogue.tls_started();
        }
        dialogue.output().clear();
    }
    return 0;
}
