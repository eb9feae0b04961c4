#include "control/domains/verification.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "control/domains/record_rules.h"
#include "engine/dns/gather.h"

namespace penguin::control {

namespace {

constexpr std::size_t kDmarcLevelsMax = 8; // names asked on the way up

// What DNS says at one name; empty when there is nothing.
struct Published {
    std::vector<std::string> texts;
    std::vector<dns::MxRecord> mx;
};

void cut_found(std::vector<std::string>& found)
{
    if (found.size() > kFoundMax) found.resize(kFoundMax);
    for (std::string& text : found)
        if (text.size() > kFoundTextMax) text.resize(kFoundTextMax);
}

const DkimRecord& key_of(const DomainSetup& setup, const DnsRecord& record)
{
    const std::string suffix = "._domainkey." + setup.domain.text();
    const auto found = std::ranges::find_if(setup.dkim, [&](const DkimRecord& key) {
        const Result<DomainName> name = DomainName::parse_record_name(key.selector + suffix);
        return name && *name == record.name;
    });
    return *found; // records_to_publish() made the record from one of them
}

Judgement judge(const DnsRecord& record, const DomainSetup& setup, const Published& published)
{
    switch (record.purpose) {
    case RecordPurpose::spf:
    case RecordPurpose::return_path_spf: return judge_spf(published.texts, setup);
    case RecordPurpose::dkim: return judge_dkim(published.texts, key_of(setup, record));
    case RecordPurpose::dmarc: return judge_dmarc(published.texts);
    case RecordPurpose::return_path_mx: return judge_mx(published.mx, setup.bounce_mx);
    }
    return {};
}

awaitable<Result<Published>> look_up(dns::Resolver& resolver, RecordType type, DomainName name)
{
    Published published;
    if (type == RecordType::mx) {
        Result<dns::Answer<dns::MxRecord>> mx = co_await resolver.mx(std::move(name));
        if (!mx) co_return std::unexpected{mx.error()};
        published.mx = std::move(mx->records);
        co_return published;
    }
    Result<dns::Answer<std::string>> txt = co_await resolver.txt(std::move(name));
    if (!txt) co_return std::unexpected{txt.error()};
    published.texts = std::move(txt->records);
    co_return published;
}

RecordCheck failed(DnsRecord record, const Error& error)
{
    return {std::move(record), {}, RecordStatus::error, "DNS gave no answer: " + error.detail};
}

using Setup = std::shared_ptr<const DomainSetup>;

awaitable<RecordCheck> check_record(dns::Resolver& resolver, Setup setup, DnsRecord record)
{
    const Result<Published> published = co_await look_up(resolver, record.type, record.name);
    if (!published) co_return failed(std::move(record), published.error());
    Judgement judgement = judge(record, *setup, *published);
    cut_found(judgement.found);
    co_return RecordCheck{std::move(record), std::move(judgement.found), judgement.status, std::move(judgement.detail)};
}

// A domain without a policy of its own has that of a domain above it (RFC 7489 6.6.3, RFC 9989's walk up the tree).
awaitable<RecordCheck> check_dmarc(dns::Resolver& resolver, Setup setup, DnsRecord record)
{
    RecordCheck own = co_await check_record(resolver, setup, std::move(record));
    std::string_view above = setup->domain.text();
    for (std::size_t level = 1; own.status == RecordStatus::missing && level < kDmarcLevelsMax; ++level) {
        const auto dot = above.find('.');
        above.remove_prefix(dot == std::string_view::npos ? above.size() : dot + 1);
        if (!above.contains('.')) break; // a top-level domain has no policy for us
        DnsRecord upper = own.record;
        upper.name = DomainName::parse_record_name("_dmarc." + std::string{above}).value(); // shorter than what parsed
        const RecordCheck found = co_await check_record(resolver, setup, std::move(upper));
        if (found.status == RecordStatus::missing) continue;
        own.status = found.status;
        own.found = found.found;
        own.detail =
            found.status == RecordStatus::ok ? "the policy of " + std::string{above} + " applies" : found.detail;
    }
    co_return own;
}

using Checks = std::shared_ptr<std::vector<RecordCheck>>;

awaitable<> check_into(dns::Resolver& resolver, Setup setup, Checks checks, std::size_t index)
{
    const DnsRecord record = (*checks)[index].record;
    const auto checked = record.purpose == RecordPurpose::dmarc ? check_dmarc : check_record;
    RecordCheck check = co_await checked(resolver, std::move(setup), record);
    (*checks)[index] = std::move(check);
}

} // namespace

std::string_view name_of(RecordStatus status)
{
    switch (status) {
    case RecordStatus::ok: return "ok";
    case RecordStatus::missing: return "missing";
    case RecordStatus::wrong: return "wrong";
    case RecordStatus::error: return "error";
    }
    return "";
}

std::string_view name_of(Standing standing)
{
    switch (standing) {
    case Standing::verified: return "verified";
    case Standing::unverified: return "unverified";
    case Standing::unknown: return "unknown";
    }
    return "";
}

Standing Verification::standing() const
{
    Standing standing = Standing::verified;
    for (const RecordCheck& check : checks) {
        if (!check.record.required || check.status == RecordStatus::ok) continue;
        if (check.status != RecordStatus::error) return Standing::unverified;
        standing = Standing::unknown;
    }
    return standing;
}

awaitable<Result<Verification>> verify(dns::Resolver& resolver, DomainSetup given)
{
    const SteadyTime deadline = std::chrono::steady_clock::now() + kVerificationDeadline;
    const Setup setup = std::make_shared<const DomainSetup>(std::move(given));
    Result<std::vector<DnsRecord>> records = records_to_publish(*setup);
    if (!records) co_return std::unexpected{records.error()};
    const Checks checks = std::make_shared<std::vector<RecordCheck>>();
    std::vector<std::function<awaitable<>()>> jobs;
    for (std::size_t i = 0; i < records->size(); ++i) {
        checks->push_back(failed(std::move((*records)[i]), Error{Errc::timeout, "not in time"}));
        jobs.emplace_back([&resolver, setup, checks, i] { return check_into(resolver, setup, checks, i); });
    }
    co_await dns::gather(std::move(jobs), deadline);
    co_return Verification{*checks};
}

} // namespace penguin::control
