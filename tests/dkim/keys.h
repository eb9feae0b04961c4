// tests/dkim/keys.h
// One RSA and one Ed25519 key for all tests of a program: making an RSA key takes a while.
#pragma once

#include "dkim/key_pair.h"
#include "dkim/key_ring.h"

namespace penguin::dkim::tests {

inline const KeyPair& key_pair(Algorithm algorithm)
{
    static const KeyPair rsa = make_key_pair(Algorithm::rsa_sha256).value();
    static const KeyPair ed25519 = make_key_pair(Algorithm::ed25519_sha256).value();
    return algorithm == Algorithm::rsa_sha256 ? rsa : ed25519;
}

inline KeyHandle opened(Algorithm algorithm)
{
    return open_private_key(algorithm, key_pair(algorithm).private_der.bytes()).value();
}

inline std::string record(Algorithm algorithm) { return dns_record(algorithm, key_pair(algorithm).public_base64); }

inline TenantId tenant(unsigned char number)
{
    std::array<std::uint8_t, 16> bytes{};
    bytes.back() = number;
    return TenantId{Uuid::from_bytes(bytes)};
}

inline DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

// As the snapshot would bring it.
inline SigningKey signing_key(const MasterKey& master, TenantId owner, std::string_view name, std::string_view selector,
                              Algorithm algorithm, std::uint32_t version = 1)
{
    const std::string sealed =
        seal(master, key_pair(algorithm).private_der.bytes(), owner_of(owner, domain(name), selector, version)).value();
    return {owner, domain(name), std::string{selector}, algorithm, sealed, version};
}

inline constexpr std::string_view kMessage = "Date: Tue, 24 Nov 2026 04:29:07 +0000\r\n"
                                             "From: Sales <sales@example.com>\r\n"
                                             "To: Ann <ann@example.org>\r\n"
                                             "Subject: Hello\r\n"
                                             "\r\n"
                                             "Hi Ann\r\n";

} // namespace penguin::dkim::tests
