// control/auth/authenticator.h
// The port from HTTP to who may call. Real: CredentialAuthenticator; tests: a table.
//
//   in       the Authorization field as it came, and the peer's address (unspecified: a unix socket)
//   errors   missing (no credential), denied (wrong, expired, revoked, forged: the client is never told which),
//            full (wrong, and too many were before from this peer), unavailable, timeout (keys cannot be read now)
#pragma once

#include <string>

#include <boost/asio/ip/address.hpp>

#include "control/auth/principal.h"
#include "engine/base/asio.h"

namespace penguin::control {

class Authenticator {
public:
    virtual ~Authenticator() = default;
    virtual awaitable<Result<Principal>> authenticate(std::string authorization, asio::ip::address peer) = 0;
};

} // namespace penguin::control
