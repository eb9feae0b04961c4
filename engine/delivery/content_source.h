// engine/delivery/content_source.h
// The port to where contents are kept. Real: control/content_store (Redis cache over PostgreSQL); tests: a map.
//   errors  not_found (no such content: the message cannot be sent), unavailable, timeout (later)
#pragma once

#include <string>

#include "engine/base/asio.h"
#include "engine/base/uuid.h"

namespace penguin::delivery {

class ContentSource {
public:
    virtual ~ContentSource() = default;
    // The JSON of a Content (engine/mail/content.h). Called on the dispatcher's thread.
    virtual awaitable<Result<std::string>> content(TenantId tenant, ContentId id) = 0;
};

} // namespace penguin::delivery
