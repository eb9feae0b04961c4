#include "tests/dkim/opendkim_signer.h"

#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <sys/types.h>

#include "dkim/canonical.h"
#include "engine/mail/transfer_encoding.h"

#define _Bool bool // NOLINT: the library's header speaks C99
extern "C" {
#include <opendkim/dkim.h>
}
#undef _Bool

namespace penguin::dkim::tests {

namespace {

unsigned char* octets(const std::string& text)
{
    return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
}

std::string pem_of(EVP_PKEY* key)
{
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory, &text);
    std::string out{text, static_cast<std::size_t>(size)};
    BIO_free(memory);
    return out;
}

DKIM_LIB* library()
{
    static DKIM_LIB* const lib = [] {
        DKIM_LIB* made = dkim_init(nullptr, nullptr);
        const char* over_signed[] = {"from", "to", "subject", "date", nullptr};
        dkim_options(made, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS, over_signed, sizeof over_signed);
        return made;
    }();
    return lib;
}

void check(DKIM_STAT status)
{
    if (status != DKIM_STAT_OK) throw std::runtime_error{dkim_getresultstr(status)};
}

} // namespace

std::string opendkim_signature(std::string_view message, Algorithm algorithm, EVP_PKEY* key, const std::string& domain,
                               const std::string& selector)
{
    DKIM_STAT status = DKIM_STAT_OK;
    const std::string pem = pem_of(key);
    const dkim_alg_t alg = algorithm == Algorithm::rsa_sha256 ? DKIM_SIGN_RSASHA256 : DKIM_SIGN_ED25519SHA256;
    const std::unique_ptr<DKIM, decltype(&dkim_free)> handle{
        dkim_sign(library(), octets("test"), nullptr, octets(pem), octets(selector), octets(domain), DKIM_CANON_RELAXED,
                  DKIM_CANON_RELAXED, alg, -1, &status),
        dkim_free};
    check(status);
    const MessageView view = view_message(message).value();
    for (const HeaderField& field : view.fields) {
        const std::string text{field.text.substr(0, field.text.size() - 2)};
        check(dkim_header(handle.get(), octets(text), text.size()));
    }
    check(dkim_eoh(handle.get()));
    const std::string body{view.body};
    if (!body.empty()) check(dkim_body(handle.get(), octets(body), body.size()));
    check(dkim_eom(handle.get(), nullptr));
    unsigned char* header = nullptr;
    std::size_t size = 0;
    check(dkim_getsighdr_d(handle.get(), 0, &header, &size));
    const std::string value{reinterpret_cast<const char*>(header), size};
    return "DKIM-Signature: " + with_crlf(value) + "\r\n"; // folded with a bare LF by the library
}

} // namespace penguin::dkim::tests
