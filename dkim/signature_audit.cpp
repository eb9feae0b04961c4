#include "dkim/signature_audit.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/log.h"

namespace penguin::dkim {

namespace {

std::string owner_text(const LiveKey& key) { return key.key.domain.text() + "/" + key.key.selector; }

Counter& audits(Registry& metrics, std::string_view result)
{
    return metrics.counter("penguin_dkim_audits_total", "Signatures that the judge looked at before they left",
                           {{"result", std::string{result}}});
}

} // namespace

SignatureAudit::SignatureAudit(AuditOptions options, Registry& metrics)
    : options_{options},
      stopped_keys_{metrics.gauge("penguin_dkim_stopped_keys", "Keys that a failed audit keeps from signing")},
      passed_{audits(metrics, "passed")},
      failed_{audits(metrics, "failed")}
{
}

Result<bool> SignatureAudit::admit(const LiveKey& key, WallTime now)
{
    const std::scoped_lock lock{mutex_};
    Known& known = known_[key.id];
    switch (known.state) {
    case State::unproven: return true;
    case State::proven:
        if (options_.every == 0 || ++known.signed_since_audit < options_.every) return false;
        known.signed_since_audit = 0;
        return true;
    case State::stopped:
        if (now < known.next_try)
            return fail(Errc::denied, fmt::format("DKIM key {} is stopped since {}: {}", owner_text(key),
                                                  to_rfc3339(known.stopped_at), known.reason));
        known.next_try = now + options_.retry;
        return true;
    }
    return true;
}

void SignatureAudit::passed(const LiveKey& key)
{
    passed_.add();
    const std::scoped_lock lock{mutex_};
    Known& known = known_[key.id];
    if (known.state == State::stopped) {
        stopped_keys_.add(-1);
        log::info("dkim", "key_resumed", {{"domain", key.key.domain.text()}, {"selector", key.key.selector}});
    }
    if (known.state == State::proven) return; // its count goes on
    known = Known{};
    known.state = State::proven;
}

void SignatureAudit::failed(const LiveKey& key, std::string_view reason, WallTime now)
{
    failed_.add();
    log::error("dkim", "audit_failed",
               {{"domain", key.key.domain.text()}, {"selector", key.key.selector}, {"reason", std::string{reason}}});
    const std::scoped_lock lock{mutex_};
    Known& known = known_[key.id];
    if (known.state != State::stopped) {
        stopped_keys_.add(1);
        known.state = State::stopped;
        known.stopped_at = now;
    }
    known.next_try = now + options_.retry;
    known.reason = reason;
}

void SignatureAudit::keep_only(const std::unordered_set<KeyId>& live)
{
    const std::scoped_lock lock{mutex_};
    std::erase_if(known_, [&](const auto& one) { return !live.contains(one.first); });
    stopped_keys_.set(
        std::ranges::count_if(known_, [](const auto& one) { return one.second.state == State::stopped; }));
}

} // namespace penguin::dkim
