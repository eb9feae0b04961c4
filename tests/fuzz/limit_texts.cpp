// Rates, stored limits, sending windows and recipients' zones as texts: what is taken is written in one form, and a window opens.
#include "engine/mail/recipient_zone.h"
#include "engine/policy/sending_window.h"
#include "engine/queue/tenant_limits.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto rate = queue::TenantRate::parse(text)) {
        const std::string written = queue::text_of(*rate);
        check(*queue::TenantRate::parse(written) == *rate);
        check(!*rate || ((*rate)->messages > 0 && (*rate)->messages <= queue::kRateMessagesMax));
    }
    if (const auto limits = queue::stored_limits(text))
        check(*queue::stored_limits(queue::stored_text(*limits)) == *limits);
    if (const auto window = policy::SendingWindow::parse(text)) {
        check(*policy::SendingWindow::parse(window->text()) == *window);
        const WallTime at = from_unix_ms(1'795'494'547'000);
        const WallTime opens = window->opens(window->zone, at);
        check(opens >= at && opens < at + std::chrono::hours{24 * 15});
        check(window->is_open(window->zone, opens));
    }
    if (const auto zone = recipient_zone(text)) check(*TimeZone::find(zone->name()) == *zone);
    return 0;
}
