// The port to the public keys of who issues our tokens. Real: JwksFile, JwksUrl (control/fetch); tests: any.
//
//   threads  belongs to one
#pragma once

#include <memory>

#include "control/auth/jwk.h"
#include "engine/base/asio.h"

namespace penguin::control {

class KeySet {
public:
    virtual ~KeySet() = default;
    // As they are now. Null: they cannot be had, so no token can be judged now.
    virtual std::shared_ptr<const Jwks> keys(SteadyTime now) = 0;
    // A token names a key that is not among them: looks whether it has come. Strangers may cause it, so it bounds itself.
    virtual awaitable<void> look_again() = 0;
};

} // namespace penguin::control
