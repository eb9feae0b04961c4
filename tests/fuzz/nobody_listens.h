// Takes what is told of refused callers and forgets it.
#pragma once

#include "control/audit/security_events.h"

namespace penguin::fuzz {

class NobodyListens final : public control::audit::SecurityEvents {
    void note(control::audit::SecurityEvent /*event*/) override {}
};

} // namespace penguin::fuzz
