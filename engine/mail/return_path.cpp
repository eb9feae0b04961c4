#include "engine/mail/return_path.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

namespace penguin {

namespace {

constexpr std::size_t kBatchAt = 2; // behind "b-"
constexpr std::size_t kBatchHex = 32;
constexpr std::size_t kIndexAt = kBatchAt + kBatchHex + 1;
constexpr std::size_t kTagHex = 16;
constexpr int kIndexBase = 36;

std::string hex_of(std::span<const std::uint8_t> bytes)
{
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        out += kHex[byte >> 4];
        out += kHex[byte & 0x0F];
    }
    return out;
}

// The label keeps this use of the key apart from any other.
std::string tag_of(const std::array<std::uint8_t, 32>& key, const MessageId& id)
{
    const std::string said = "penguin-return-path:" + id.text();
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> hmac{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(said.data()),
         said.size(), hmac.data(), &length);
    return hex_of(std::span{hmac}.first(kTagHex / 2));
}

// "0190...": 32 digits without the hyphens of the usual form.
Result<Uuid> uuid_of(std::string_view hex)
{
    std::string text{hex};
    for (const std::size_t hyphen : {8U, 13U, 18U, 23U}) text.insert(hyphen, 1, '-');
    return Uuid::parse(text);
}

} // namespace

EmailAddress ReturnPath::make(const MessageId& id, const DomainName& bounce_host) const
{
    std::array<char, 8> digits{};
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), id.index, kIndexBase).ptr;
    const std::string local = fmt::format("b-{}-{}-{}", hex_of(id.batch.value().bytes()),
                                          std::string_view{digits.data(), end}, tag_of(key_, id));
    // At most 2 + 32 + 1 + 3 + 1 + 16 = 55 octets of the 64 that RFC 5321 allows; a host of ours is short.
    return EmailAddress::parse(local + "@" + bounce_host.text()).value();
}

Result<MessageId> ReturnPath::parse(const EmailAddress& address) const
{
    const auto malformed = fail(Errc::malformed, "not a return path of ours");
    std::string local = address.local_part();
    // Some systems change the case of a local part on its way back.
    std::ranges::transform(local, local.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const std::string_view text = local;
    const std::size_t dash = text.rfind('-');
    if (!text.starts_with("b-") || dash == std::string_view::npos || dash < kIndexAt || text[kIndexAt - 1] != '-' ||
        text.size() - dash - 1 != kTagHex)
        return malformed;
    const Result<Uuid> batch = uuid_of(text.substr(kBatchAt, kBatchHex));
    const std::string_view digits = text.substr(kIndexAt, dash - kIndexAt);
    std::uint32_t index = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), index, kIndexBase);
    if (!batch || code != std::errc{} || end != digits.data() + digits.size() || index > MessageId::kIndexMax ||
        (digits.size() > 1 && digits.front() == '0'))
        return malformed;
    const MessageId id{BatchId{*batch}, index};
    if (CRYPTO_memcmp(tag_of(key_, id).data(), text.data() + dash + 1, kTagHex) != 0)
        return fail(Errc::denied, "a return path that we did not make");
    return id;
}

} // namespace penguin
