#include "dkim/signature_field.h"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "engine/mail/base64.h"

namespace penguin::dkim {

namespace {

constexpr std::size_t kLineGoal = 76; // octets a line, with its tab
constexpr std::size_t kDigestSize = 32;
using Digest = std::array<unsigned char, kDigestSize>;

struct SignedName {
    std::string_view name;
    bool over_signed; // named once more than it is there: one that is added later breaks the signature
};

// RFC 6376 5.4.1, and what mail programs act on today (RFC 8058 asks for the List-Unsubscribe fields).
constexpr std::array kSignedNames{
    SignedName{"from", true},
    SignedName{"reply-to", true},
    SignedName{"subject", true},
    SignedName{"date", true},
    SignedName{"to", true},
    SignedName{"cc", true},
    SignedName{"message-id", true},
    SignedName{"in-reply-to", true},
    SignedName{"references", true},
    SignedName{"mime-version", true},
    SignedName{"content-type", true},
    SignedName{"content-transfer-encoding", true},
    SignedName{"list-unsubscribe", true},
    SignedName{"list-unsubscribe-post", true},
    SignedName{"sender", true},
    SignedName{"list-id", false},
    SignedName{"feedback-id", false},
    SignedName{"content-disposition", false},
};

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct FreeContext {
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using DigestHandle = std::unique_ptr<EVP_MD_CTX, FreeDigest>;
using ContextHandle = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

const EVP_MD* sha256()
{
    static const EVP_MD* const fetched =
        EVP_MD_fetch(nullptr, "SHA256", nullptr); // once: half the price of a short hash
    return fetched;
}

std::string_view as_text(const unsigned char* bytes, std::size_t size)
{
    return {reinterpret_cast<const char*>(bytes), size};
}

Result<std::string> hash_of_body(std::string_view body)
{
    const DigestHandle digest{EVP_MD_CTX_new()};
    if (!digest || EVP_DigestInit_ex2(digest.get(), sha256(), nullptr) != 1) return fail(Errc::local_fault, "SHA-256");
    relaxed_body(body, [&](std::string_view piece) { EVP_DigestUpdate(digest.get(), piece.data(), piece.size()); });
    Digest out{};
    if (EVP_DigestFinal_ex(digest.get(), out.data(), nullptr) != 1) return fail(Errc::local_fault, "SHA-256");
    return to_base64(as_text(out.data(), out.size()));
}

// PKCS#1 v1.5 over the digest that we have (RFC 6376 3.3.1).
Result<std::string> sign_rsa(EVP_PKEY* key, const Digest& digest)
{
    const ContextHandle context{EVP_PKEY_CTX_new(key, nullptr)};
    std::string signature(static_cast<std::size_t>(std::max(EVP_PKEY_get_size(key), 0)), '\0');
    std::size_t size = signature.size();
    if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context.get(), sha256()) != 1 ||
        EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, digest.data(),
                      digest.size()) != 1)
        return fail(Errc::local_fault, "RSA signature");
    signature.resize(size);
    return signature;
}

// PureEdDSA over the SHA-256 digest (RFC 8463 3).
Result<std::string> sign_ed25519(EVP_PKEY* key, const Digest& digest)
{
    const DigestHandle context{EVP_MD_CTX_new()};
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, digest.data(),
                       digest.size()) != 1)
        return fail(Errc::local_fault, "Ed25519 signature");
    return signature;
}

// "h=" with a fold after a colon where the line would be over the goal.
std::string folded_names(std::string_view names)
{
    std::string out = "\th=";
    std::size_t column = out.size();
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(':'), names.size() - 1) + 1;
        if (column + end > kLineGoal) {
            out += "\r\n\t";
            column = 1;
        }
        out += names.substr(0, end);
        column += end;
        names.remove_prefix(end);
    }
    return out + ";\r\n";
}

std::string folded_digits(std::string_view digits)
{
    std::string out;
    std::size_t room = kLineGoal - 3; // behind "\tb="
    while (digits.size() > room) {
        out += digits.substr(0, room);
        out += "\r\n\t";
        digits.remove_prefix(room);
        room = kLineGoal - 1;
    }
    return out += digits;
}

// Each listing of a name takes the next field of it from the bottom (RFC 6376 5.4.2).
void choose(const MessageView& message, const SignedName& wanted, std::string& names, std::string& canonical)
{
    const auto list = [&] { names += (names.empty() ? "" : ":") + std::string{wanted.name}; };
    for (auto field = message.fields.rbegin(); field != message.fields.rend(); ++field) {
        if (field->name != wanted.name) continue;
        list();
        relaxed_field(field->text, canonical);
    }
    if (wanted.over_signed) list();
}

} // namespace

Result<MessageDigest> MessageDigest::of(const MessageView& message)
{
    MessageDigest digest;
    for (const SignedName& wanted : kSignedNames) choose(message, wanted, digest.names_, digest.canonical_);
    Result<std::string> body = hash_of_body(message.body);
    if (!body) return std::unexpected{body.error()};
    digest.body_hash_ = std::move(*body);
    return digest;
}

Result<std::string> MessageDigest::sign(const FieldRequest& request) const
{
    std::string field = fmt::format("DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n\td={};{}s={};\r\n\tt={};",
                                    name_of(request.algorithm), request.domain,
                                    request.domain.size() + request.selector.size() + 8 > kLineGoal ? "\r\n\t" : " ",
                                    request.selector, request.signed_at);
    if (request.expires_at != 0) field += fmt::format(" x={};", request.expires_at);
    field += "\r\n" + folded_names(names_) + "\tbh=" + body_hash_ + ";\r\n\tb=";

    std::string canonical = canonical_;
    relaxed_field(field, canonical);
    canonical.resize(canonical.size() - 2); // the signature's own field counts without its CRLF (RFC 6376 3.7)
    Digest digest{};
    if (EVP_Digest(canonical.data(), canonical.size(), digest.data(), nullptr, sha256(), nullptr) != 1)
        return fail(Errc::local_fault, "SHA-256");
    Result<std::string> signature =
        request.algorithm == Algorithm::rsa_sha256 ? sign_rsa(request.key, digest) : sign_ed25519(request.key, digest);
    if (!signature) return signature;
    return field + folded_digits(to_base64(*signature)) + "\r\n";
}

} // namespace penguin::dkim
