#include "dkim/secret.h"

#include <openssl/crypto.h>

namespace penguin::dkim {

// A short text lies inside its string, and a move of the string copies it: so the source is wiped as well.
Secret::Secret(Secret&& other) noexcept : bytes_{std::move(other.bytes_)} { other.wipe(); }

Secret& Secret::operator=(Secret&& other) noexcept
{
    if (this == &other) return *this;
    wipe();
    bytes_ = std::move(other.bytes_);
    other.wipe();
    return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() noexcept
{
    bytes_.resize(bytes_.capacity()); // no allocation: what was there behind the end goes too
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
    bytes_.clear();
}

} // namespace penguin::dkim
