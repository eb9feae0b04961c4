#include "dkim/opendkim_verifier.h"

#include <algorithm>
#include <cstring>

#include <sys/types.h>

#include "dkim/canonical.h"

// The library's header speaks C99.
#define _Bool bool // NOLINT
extern "C" {
#include <opendkim/dkim.h>
}
#undef _Bool

namespace penguin::dkim {

namespace {

struct FreeMessage {
    void operator()(DKIM* message) const noexcept { dkim_free(message); }
};
using MessageHandle = std::unique_ptr<DKIM, FreeMessage>;

unsigned char* octets(std::string_view text)
{
    return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())); // the library does not write to it
}

std::string text_of(const void* text) { return text == nullptr ? std::string{} : static_cast<const char*>(text); }

SignatureName name_of(DKIM_SIGINFO* signature)
{
    SignatureName name{text_of(dkim_sig_getselector(signature)), text_of(dkim_sig_getdomain(signature))};
    for (std::string* part : {&name.selector, &name.domain})
        std::ranges::transform(*part, part->begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return name;
}

// The library asks for a key: it gets what the caller brought, never a look-up.
DKIM_CBSTAT look_up(DKIM* message, DKIM_SIGINFO* signature, unsigned char* out, std::size_t size)
{
    const auto* keys = static_cast<const PublishedKeys*>(dkim_get_user_context(message));
    const auto found = keys->find(name_of(signature).dns_name());
    if (found == keys->end()) return DKIM_CBSTAT_NOTFOUND;
    if (found->second.size() >= size) return DKIM_CBSTAT_ERROR;
    std::memcpy(out, found->second.c_str(), found->second.size() + 1);
    return DKIM_CBSTAT_CONTINUE;
}

SignatureVerdict verdict_of(DKIM* message, DKIM_SIGINFO* signature)
{
    // dkim_eom stops at the first good one; here each counts.
    const DKIM_STAT status = dkim_sig_process(message, signature);
    SignatureVerdict verdict{name_of(signature), false, {}};
    const DKIM_SIGERROR error = dkim_sig_geterror(signature);
    const bool passed = (dkim_sig_getflags(signature) & DKIM_SIGFLAG_PASSED) != 0;
    const bool same_body = dkim_sig_getbh(signature) == DKIM_SIGBH_MATCH;
    verdict.valid = passed && same_body && error == DKIM_SIGERROR_OK;
    if (verdict.valid) return verdict;
    if (error != DKIM_SIGERROR_OK && error != DKIM_SIGERROR_UNKNOWN)
        verdict.reason = text_of(dkim_sig_geterrorstr(error));
    else if (passed)
        verdict.reason = "body hash mismatch";
    else
        verdict.reason = status == DKIM_STAT_OK ? "signature does not verify" : text_of(dkim_getresultstr(status));
    return verdict;
}

Result<> feed(DKIM* message, const MessageView& view)
{
    const auto wrong = [&](DKIM_STAT status) {
        return fail(status == DKIM_STAT_NORESOURCE ? Errc::local_fault : Errc::malformed,
                    "libopendkim: " + text_of(dkim_getresultstr(status)));
    };
    for (const HeaderField& field : view.fields) {
        const std::string_view text = field.text.substr(0, field.text.size() - 2);
        if (const DKIM_STAT status = dkim_header(message, octets(text), text.size()); status != DKIM_STAT_OK)
            return wrong(status);
    }
    const DKIM_STAT header = dkim_eoh(message);
    if (header == DKIM_STAT_NOSIG || header == DKIM_STAT_CANTVRFY) return {}; // no key, no field: verdicts say so
    if (header != DKIM_STAT_OK) return wrong(header);
    std::string closed;
    std::string_view body = view.body;
    if (!body.empty() && !body.ends_with("\r\n")) body = closed = std::string{body} + "\r\n";
    if (!body.empty())
        if (const DKIM_STAT status = dkim_body(message, octets(body), body.size()); status != DKIM_STAT_OK)
            return wrong(status);
    bool test_key = false;
    const DKIM_STAT status = dkim_eom(message, &test_key);
    if (status == DKIM_STAT_NORESOURCE || status == DKIM_STAT_INTERNAL) return wrong(status);
    return {};
}

} // namespace

struct OpendkimVerifier::Library {
    Library() : handle{dkim_init(nullptr, nullptr)}
    {
        if (handle == nullptr) throw std::bad_alloc{};
        dkim_set_key_lookup(handle, look_up);
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() { dkim_close(handle); }
    DKIM_LIB* handle;
};

OpendkimVerifier::OpendkimVerifier() : library_{std::make_unique<Library>()} {}
OpendkimVerifier::~OpendkimVerifier() = default;

Result<std::vector<SignatureVerdict>> OpendkimVerifier::verify(std::string_view message,
                                                               const PublishedKeys& keys) const
{
    const Result<MessageView> view = view_message(message);
    if (!view) return std::unexpected{view.error()};
    DKIM_STAT status = DKIM_STAT_OK;
    const MessageHandle handle{dkim_verify(library_->handle, octets("penguin-mta"), nullptr, &status)};
    if (!handle) return fail(Errc::local_fault, "libopendkim: " + text_of(dkim_getresultstr(status)));
    dkim_set_user_context(handle.get(), const_cast<PublishedKeys*>(&keys));
    if (Result<> done = feed(handle.get(), *view); !done) return std::unexpected{done.error()};
    DKIM_SIGINFO** signatures = nullptr;
    int count = 0;
    std::vector<SignatureVerdict> verdicts;
    if (dkim_getsiglist(handle.get(), &signatures, &count) != DKIM_STAT_OK) return verdicts;
    for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(std::max(count, 0)), kSignaturesMax); ++i)
        verdicts.push_back(verdict_of(handle.get(), signatures[i]));
    return verdicts;
}

} // namespace penguin::dkim
