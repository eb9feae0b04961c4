// The bodies of POST /v1/batches and POST /api/inject/v1: whatever the octets are, the answer is a batch or a problem with a
// name, and a batch keeps its promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "control/api/batch_reader.h"
#include "control/api/inject_reader.h"

using namespace penguin;
using namespace penguin::control;

namespace {

void check(const std::expected<submit::BatchRequest, http::Problem>& batch)
{
    if (!batch) {
        if (http::to_response(batch.error(), "id").body.empty()) std::abort();
        return;
    }
    if (batch->recipients.empty() || batch->recipients.size() > submit::kRecipientsMax) std::abort();
    for (const submit::Recipient& recipient : batch->recipients)
        if (recipient.email.find('\0') != std::string::npos || recipient.name.find('\0') != std::string::npos)
            std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    http::Request request;
    request.body.assign(reinterpret_cast<const char*>(data), size);
    request.principal = Principal{
        .tenant = TenantId{*Uuid::parse("01936f8a-0000-7000-8000-000000000001")}, .scopes = {}, .subject = {}};
    check(api::read_batch(request));
    check(api::read_injection(request.body, *request.principal->tenant));
    return 0;
}
