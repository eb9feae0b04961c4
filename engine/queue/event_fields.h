// engine/queue/event_fields.h
// An event from JSON that is parsed already: the ledger's side reads arrays of them.
#pragma once

#include "engine/queue/event.h"
#include "engine/queue/json_fields.h"

namespace penguin::queue {

Result<Event> event_of(const boost::json::object& object);

} // namespace penguin::queue
