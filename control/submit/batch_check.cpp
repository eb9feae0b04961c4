#include "control/submit/batch_check.h"

#include <array>
#include <memory>
#include <unordered_set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "control/db/compression.h"

namespace penguin::control::submit {

namespace json = boost::json;

std::string_view name_of(Refusal::Code code)
{
    switch (code) {
    case Refusal::Code::bad_address: return "bad_address";
    case Refusal::Code::duplicate_recipient: return "duplicate_recipient";
    case Refusal::Code::suppressed: return "suppressed";
    case Refusal::Code::missing_variable: return "missing_variable";
    case Refusal::Code::outside_window: return "outside_window";
    }
    return "";
}

std::unexpected<BatchRefused> refuse(BatchRefused::Kind kind, std::string detail, std::vector<Refusal> refused)
{
    return std::unexpected{BatchRefused{kind, std::move(detail), std::move(refused), {}}};
}

std::unexpected<BatchRefused> refuse_field(std::string field, std::string_view rule)
{
    std::string detail = fmt::format("{}: {}", field, rule);
    return std::unexpected{BatchRefused{BatchRefused::Kind::bad_request, std::move(detail), {}, std::move(field)}};
}

namespace {

using Kind = BatchRefused::Kind;

// Each part with its length, so that no two requests run together.
class RequestHash {
public:
    RequestHash() : context_{EVP_MD_CTX_new(), EVP_MD_CTX_free}
    {
        EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
    }
    RequestHash& add(std::string_view part)
    {
        const std::uint64_t size = part.size();
        EVP_DigestUpdate(context_.get(), &size, sizeof size);
        EVP_DigestUpdate(context_.get(), part.data(), part.size());
        return *this;
    }
    std::string value()
    {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned size = 0;
        EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
        return {reinterpret_cast<const char*>(digest.data()), size};
    }

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string hash_of(const BatchRequest& request, std::string_view content_json)
{
    RequestHash hash;
    hash.add(content_json).add(request.sender ? request.sender->text() : "");
    hash.add(request.campaign ? request.campaign->value().text() : "");
    hash.add(request.mailbox ? request.mailbox->value().text() : "");
    hash.add(std::to_string(static_cast<int>(request.prio)));
    for (const auto& time : {request.not_before, request.expires})
        hash.add(time ? std::to_string(time->time_since_epoch().count()) : "");
    for (const Recipient& one : request.recipients) hash.add(one.email).add(one.name).add(one.vars);
    return hash.value();
}

bool plain(const json::value& value) { return value.is_string() || value.is_number() || value.is_bool(); }

// The variables as entries carry them: flat, with the display name among them. The error says what is wrong.
std::expected<std::string, std::string> vars_of(const Recipient& recipient)
{
    if (recipient.name.size() + recipient.vars.size() > kRecipientOctetsMax)
        return std::unexpected{fmt::format("name and variables over {} octets", kRecipientOctetsMax)};
    if (recipient.vars.empty() && recipient.name.empty()) return "";
    json::object vars;
    if (!recipient.vars.empty()) {
        boost::system::error_code code;
        const json::value value = json::parse(recipient.vars, code);
        if (code || !value.is_object()) return std::unexpected{std::string{"variables: not a JSON object"}};
        if (value.get_object().size() > kVariablesMax)
            return std::unexpected{fmt::format("variables: more than {}", kVariablesMax)};
        for (const auto& [name, one] : value.get_object()) {
            if (one.is_null()) continue;
            if (!plain(one))
                return std::unexpected{
                    fmt::format("variables.{}: a string, a number, true, false or null", std::string_view{name})};
            vars.emplace(name, one);
        }
    }
    if (!recipient.name.empty()) vars["name"] = recipient.name;
    if (vars.empty()) return "";
    std::string text = json::serialize(vars);
    if (text.size() > kRecipientOctetsMax)
        return std::unexpected{fmt::format("name and variables over {} octets", kRecipientOctetsMax)};
    return text;
}

// Attachments do not change what a template needs, but would be encoded again for each recipient.
Content without_attachments(Content content)
{
    if (auto* made = std::get_if<TemplateContent>(&content)) made->attachments.clear();
    return content;
}

bool is_strict(const Content& content)
{
    return std::visit([](const auto& one) { return one.strict; }, content);
}

std::unexpected<BatchRefused> too_much_to_check()
{
    return refuse(
        Kind::bad_content,
        fmt::format("strict: the content's size times the recipients, and what is rendered for all of them, at most {} "
                    "octets; fewer recipients in a batch",
                    kStrictOctetsMax));
}

// Moves recipients whose variables are not enough from the candidates to the refused.
std::expected<void, BatchRefused> check_strict(const Content& content, CheckedBatch& batch, WallTime now,
                                               const std::stop_token& given_up)
{
    const auto compiled = CompiledContent::compile(without_attachments(content));
    if (!compiled) return refuse(Kind::bad_content, compiled.error().detail);
    if ((*compiled)->cost() * batch.candidates.size() > kStrictOctetsMax) return too_much_to_check();
    std::size_t octets_left = kStrictOctetsMax;
    std::vector<Candidate> kept;
    for (Candidate& one : batch.candidates) {
        if (given_up.stop_requested()) return refuse(Kind::unavailable, "the caller's time is over");
        const auto index = static_cast<std::uint32_t>(one.index);
        const RenderRequest as{{BatchId{}, index}, one.recipient.to, one.recipient.vars, now, &octets_left};
        const Result<std::string> rendered = (*compiled)->render(as);
        if (rendered) {
            kept.push_back(std::move(one));
            continue;
        }
        if (octets_left == 0) return too_much_to_check();
        batch.refused.push_back(
            {one.index, one.recipient.to.text(), Refusal::Code::missing_variable, rendered.error().detail});
    }
    batch.candidates = std::move(kept);
    return {};
}

std::expected<void, BatchRefused> check_recipients(const BatchRequest& request, CheckedBatch& batch)
{
    if (request.recipients.empty()) return refuse_field("recipients", "at least one");
    if (request.recipients.size() > kRecipientsMax)
        return refuse_field("recipients", fmt::format("at most {}", kRecipientsMax));
    std::unordered_set<std::string> seen;
    std::size_t octets = 0;
    for (std::size_t i = 0; i < request.recipients.size(); ++i) {
        const Recipient& one = request.recipients[i];
        octets += one.email.size() + one.name.size() + one.vars.size();
        if (octets > kBatchOctetsMax)
            return refuse_field("recipients", fmt::format("over {} octets in all", kBatchOctetsMax));
        Result<EmailAddress> to = EmailAddress::parse(one.email);
        if (!to) {
            batch.refused.push_back({i, one.email.substr(0, 320), Refusal::Code::bad_address, to.error().detail});
            continue;
        }
        auto vars = vars_of(one);
        if (!vars) return refuse_field(fmt::format("recipients[{}]", i), vars.error());
        if (!seen.insert(to->folded()).second) {
            batch.refused.push_back({i, one.email, Refusal::Code::duplicate_recipient, "is in the batch already"});
            continue;
        }
        batch.candidates.push_back({i, {std::move(*to), std::move(*vars)}});
    }
    return {};
}

std::expected<WallTime, BatchRefused> expiry_of(const BatchRequest& request, WallTime now)
{
    const WallTime start = std::max(request.not_before.value_or(now), now);
    const WallTime expires = request.expires.value_or(start + kLifeDefault);
    if (start > now + kLifeMax) return refuse_field("not_before", "more than 30 days from now");
    if (expires <= start) return refuse_field("expires_at", "not after now and not_before");
    if (expires > start + kLifeMax) return refuse_field("expires_at", "more than 30 days after now or not_before");
    return expires;
}

} // namespace

std::expected<CheckedBatch, BatchRefused> check_batch(const BatchRequest& request, WallTime now,
                                                      const std::stop_token& given_up)
{
    if (request.idempotency_key.size() > kIdempotencyKeyMax)
        return refuse_field("Idempotency-Key", fmt::format("at most {} octets", kIdempotencyKeyMax));
    const auto expires = expiry_of(request, now);
    if (!expires) return std::unexpected{expires.error()};
    const auto compiled = CompiledContent::compile(request.content);
    if (!compiled) return refuse(Kind::bad_content, compiled.error().detail);
    const std::string content_json = to_json(request.content);
    const EmailAddress& from = from_of(request.content);
    CheckedBatch batch{.tenant = request.tenant,
                       .content = content_id(content_json),
                       .content_size = content_json.size(),
                       .content_body = db::compress(content_json),
                       .from_domain = from.domain(),
                       .sender = request.sender.value_or(from),
                       .campaign = request.campaign,
                       .mailbox = request.mailbox,
                       .prio = request.prio,
                       .not_before = request.not_before,
                       .expires = *expires,
                       .candidates = {},
                       .refused = {},
                       .idempotency_key = request.idempotency_key,
                       .request_hash = hash_of(request, content_json)};
    if (const auto fine = check_recipients(request, batch); !fine) return std::unexpected{fine.error()};
    if (is_strict(request.content))
        if (const auto fine = check_strict(request.content, batch, now, given_up); !fine)
            return std::unexpected{fine.error()};
    return batch;
}

} // namespace penguin::control::submit
