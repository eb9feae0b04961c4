// control/api/batch_reader.h
// The body of POST /v1/batches -> BatchRequest. Everything that is wrong is named at once; addresses of recipients are left
// to Acceptance, which refuses them one by one.
#pragma once

#include "control/api/content_reader.h"

namespace penguin::control::api {

std::expected<submit::BatchRequest, Problem> read_batch(const Request& request);

} // namespace penguin::control::api
