// Bounce addresses from outside: only what we made is believed, and it says what we put in.
#include <cassert>

#include "engine/mail/return_path.h"

using namespace penguin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const ReturnPath paths{{1, 2, 3}};
    const Result<EmailAddress> address = EmailAddress::parse({reinterpret_cast<const char*>(data), size});
    if (!address) return 0;
    const Result<MessageId> id = paths.parse(*address);
    if (id) assert(paths.make(*id, address->domain()).folded() == address->folded());
    return 0;
}
