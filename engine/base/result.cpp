#include "engine/base/result.h"

namespace penguin {

std::string_view name_of(Errc code)
{
    switch (code) {
    case Errc::bad_value: return "bad_value";
    case Errc::bad_address: return "bad_address";
    case Errc::too_long: return "too_long";
    case Errc::malformed: return "malformed";
    case Errc::missing: return "missing";
    case Errc::not_found: return "not_found";
    case Errc::conflict: return "conflict";
    case Errc::denied: return "denied";
    case Errc::timeout: return "timeout";
    case Errc::closed: return "closed";
    case Errc::refused: return "refused";
    case Errc::unreachable: return "unreachable";
    case Errc::tls_failed: return "tls_failed";
    case Errc::unavailable: return "unavailable";
    case Errc::stale: return "stale";
    case Errc::full: return "full";
    case Errc::cancelled: return "cancelled";
    case Errc::local_fault: return "local_fault";
    }
    return "unknown";
}

std::unexpected<Error> fail(Errc code, std::string detail) { return std::unexpected{Error{code, std::move(detail)}}; }

std::unexpected<Error> fail(const Error& cause, std::string_view doing)
{
    return std::unexpected{Error{cause.code, std::string{doing} + ": " + cause.detail}};
}

} // namespace penguin
