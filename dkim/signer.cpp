#include "dkim/signer.h"

#include <algorithm>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "dkim/canonical.h"
#include "dkim/signature_field.h"

namespace penguin::dkim {

namespace {

constexpr std::chrono::seconds kLookUpMax{15}; // for each key's TXT record

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

// The DKIM-Signature fields of `domain`.
std::vector<SignatureName> signatures_of(const MessageView& message, const DomainName& domain)
{
    std::vector<SignatureName> names;
    for (const HeaderField& field : message.fields) {
        if (field.name != "dkim-signature" || names.size() == kSignaturesMax) continue;
        const std::string_view tags = field.text.substr(field.text.find(':') + 1);
        if (lower(tag_value(tags, "d")) != domain.text()) continue;
        names.push_back({lower(tag_value(tags, "s")), domain.text()});
    }
    return names;
}

Counter& signatures_total(Registry& metrics, Algorithm algorithm)
{
    return metrics.counter("penguin_dkim_signatures_total", "DKIM signatures made",
                           {{"algorithm", std::string{name_of(algorithm)}}});
}

} // namespace

DkimSigner::DkimSigner(const MasterKey& master, SignerOptions options, asio::any_io_executor resolver_executor,
                       dns::Resolver& resolver, Registry& metrics)
    : options_{std::move(options)},
      resolver_executor_{std::move(resolver_executor)},
      resolver_{resolver},
      ring_{master},
      audit_{options_.audit, metrics},
      signed_rsa_{signatures_total(metrics, Algorithm::rsa_sha256)},
      signed_ed25519_{signatures_total(metrics, Algorithm::ed25519_sha256)},
      signed_before_{
          metrics.counter("penguin_dkim_signed_before_total", "Messages that came with a signature of their domain")},
      failed_{metrics.counter("penguin_dkim_sign_failures_total", "Messages that could not be signed")},
      unavailable_{metrics.counter("penguin_dkim_audits_total", "Signatures that the judge looked at before they left",
                                   {{"result", "unavailable"}})}
{
}

Result<Signature> DkimSigner::sign(const SigningRequest& request)
{
    Result<Signature> signature = signed_by_keys(request);
    if (!signature) failed_.add();
    return signature;
}

Result<Signature> DkimSigner::signed_by_keys(const SigningRequest& request)
{
    const Result<MessageView> message = view_message(request.message);
    if (!message) return std::unexpected{message.error()};
    if (!signatures_of(*message, request.domain).empty()) {
        signed_before_.add();
        return Signature{};
    }
    const std::optional<DomainKeys> keys = ring_.find(request.tenant, request.domain);
    if (!keys || !keys->rsa) return fail(Errc::missing, fmt::format("no active DKIM key of {}", request.domain.text()));
    const Result<bool> audited = audit_.admit(*keys->rsa, request.now);
    if (!audited) return std::unexpected{audited.error()};
    const Result<MessageDigest> digest = MessageDigest::of(*message);
    if (!digest) return std::unexpected{digest.error()};

    Signature out{{}, *audited};
    Result<std::string> rsa = field(*keys->rsa, *digest, request.now);
    if (!rsa) return std::unexpected{rsa.error()};
    out.header_fields = std::move(*rsa);
    signed_rsa_.add();
    if (!keys->ed25519) return out;
    // Without it the message is still well signed: a stopped Ed25519 key stops nothing but itself.
    const Result<bool> second_audited = audit_.admit(*keys->ed25519, request.now);
    if (!second_audited) return out;
    Result<std::string> ed25519 = field(*keys->ed25519, *digest, request.now);
    if (!ed25519) return std::unexpected{ed25519.error()};
    out.header_fields += *ed25519;
    out.audit_wanted = out.audit_wanted || *second_audited;
    signed_ed25519_.add();
    return out;
}

Result<std::string> DkimSigner::field(const LiveKey& key, const MessageDigest& digest, WallTime now)
{
    const Result<EVP_PKEY*> opened = ring_.open(key);
    if (!opened) return std::unexpected{opened.error()};
    const std::int64_t seconds = to_unix_ms(now) / 1000;
    const std::int64_t expires = options_.lifetime.count() == 0 ? 0 : seconds + options_.lifetime.count();
    return digest.sign({key.key.algorithm, key.key.domain.text(), key.key.selector, *opened, seconds, expires});
}

awaitable<Result<>> DkimSigner::audit(TenantId tenant, DomainName domain, std::string signed_message)
{
    const Result<MessageView> message = view_message(signed_message);
    if (!message) co_return std::unexpected{message.error()};
    std::vector<SignatureName> names = signatures_of(*message, domain);
    PublishedKeys published;
    Result<> looked_up = co_await look_up_keys(names, published);
    if (!looked_up) {
        unavailable_.add();
        co_return looked_up;
    }
    const Result<std::vector<SignatureVerdict>> verdicts = verifier_.verify(signed_message, published);
    if (!verdicts) co_return std::unexpected{verdicts.error()};
    co_return judge(tenant, domain, names, *verdicts);
}

// One record a key. A name without a record is left out: the judge then says that there is no key.
awaitable<Result<>> DkimSigner::look_up_keys(std::vector<SignatureName> names, PublishedKeys& keys)
{
    for (const SignatureName& name : names) {
        const Result<DomainName> dns_name = DomainName::parse_record_name(name.dns_name());
        if (!dns_name || keys.contains(name.dns_name())) continue;
        // The resolver lives on its own thread, and so does its deadline.
        auto [thrown, answer] = co_await asio::co_spawn(
            resolver_executor_, within(kLookUpMax, "looking up " + name.dns_name(), resolver_.txt(*dns_name)),
            use_result);
        if (thrown) co_return fail(Errc::unavailable, "looking up " + name.dns_name() + " threw");
        if (!answer) co_return fail(Errc::unavailable, "DKIM key " + name.dns_name() + ": " + answer.error().detail);
        const auto record =
            std::ranges::find_if(answer->records, [](const std::string& text) { return text.contains("p="); });
        if (record != answer->records.end()) keys[dns_name->text()] = *record;
    }
    co_return Result<>{};
}

Result<> DkimSigner::judge(TenantId tenant, const DomainName& domain, const std::vector<SignatureName>& names,
                           const std::vector<SignatureVerdict>& verdicts)
{
    const DomainKeys keys = ring_.find(tenant, domain).value_or(DomainKeys{});
    const WallTime now = options_.clock();
    std::string wrong;
    for (const SignatureName& name : names) {
        // Two algorithms may share a selector only by mistake: then one record cannot serve both, and a verdict says so.
        const auto verdict = std::ranges::find(verdicts, name, &SignatureVerdict::name);
        const bool valid = verdict != verdicts.end() && verdict->valid;
        const std::string reason = verdict == verdicts.end() ? "the judge does not see the signature" : verdict->reason;
        if (!valid) wrong += fmt::format("{}{}: {}", wrong.empty() ? "" : "; ", name.dns_name(), reason);
        for (const auto& key : {keys.rsa, keys.ed25519}) {
            if (!key || lower(key->key.selector) != name.selector) continue;
            if (valid)
                audit_.passed(*key);
            else
                audit_.failed(*key, reason, now);
        }
    }
    if (names.empty()) return fail(Errc::denied, "the message has no signature of " + domain.text());
    if (!wrong.empty()) return fail(Errc::denied, wrong);
    return {};
}

} // namespace penguin::dkim
