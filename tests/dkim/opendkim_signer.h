// tests/dkim/opendkim_signer.h
// libopendkim as a signer, to hold ours against it.
#pragma once

#include <string>
#include <string_view>

#include "dkim/key_pair.h"

namespace penguin::dkim::tests {

// The DKIM-Signature field with CRLF line ends; throws what libopendkim says.
std::string opendkim_signature(std::string_view message, Algorithm algorithm, EVP_PKEY* key, const std::string& domain,
                               const std::string& selector);

} // namespace penguin::dkim::tests
