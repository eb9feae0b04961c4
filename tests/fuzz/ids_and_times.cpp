// Ids, times and places in the stream, as clients and files write them: what is taken, we write in one form.
#include "engine/base/clock.h"
#include "engine/mail/message_id.h"
#include "engine/queue/stream_position.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const Result<Uuid> id = Uuid::parse(text)) check(Uuid::parse(id->text()) == *id && size == 36);
    if (const Result<MessageId> id = MessageId::parse(text)) {
        check(MessageId::parse(id->text()) == *id && id->index <= MessageId::kIndexMax);
        check(id->text().size() == size);
    }
    if (const Result<WallTime> time = parse_rfc3339(text)) {
        const std::string written = to_rfc3339(*time);
        const Result<WallTime> again = parse_rfc3339(written);
        check(again.has_value() && *again == std::chrono::floor<std::chrono::milliseconds>(*time));
        check(to_rfc3339(*again) == written && !to_rfc5322(*time).empty());
        check(from_unix_ms(to_unix_ms(*again)) == *again);
    }
    if (const auto position = queue::StreamPosition::parse(text))
        check(queue::StreamPosition::parse(position->text()) == *position);
    return 0;
}
