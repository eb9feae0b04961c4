#include "control/ctl/problem_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "control/ctl/view.h"

namespace penguin::control::ctl {

namespace {

namespace json = boost::json;

using Hint = std::pair<std::string_view, std::string_view>;
constexpr std::array<Hint, 16> kHints{{
    {"unauthenticated", "gave a key that this API does not know; `penguin-mta admin-key` prints the platform's own"},
    {"insufficient_scope", "use a key with that scope, or make one: penguinctl tenant-api-keys create"},
    {"tenant_required",
     "this is a call of a tenant: use a tenant's key (penguinctl tenant-api-keys create TENANT ...)"},
    {"platform_required", "this is a call of the platform: use its key, not a tenant's"},
    {"not_found", "it may be another tenant's; `list` shows what there is"},
    {"method_not_allowed", "the API is older or newer than this penguinctl"},
    {"precondition_failed", "somebody has changed it since: get it again and use its version"},
    {"body_too_large", "send it in several parts; the bound is http.body_max of the daemon"},
    {"domain_not_verified",
     "publish its records (penguinctl domains records DOMAIN), then: penguinctl domains verify DOMAIN"},
    {"no_recipient_accepted", "nothing was sent: every recipient was refused, for the reasons above"},
    {"idempotency_key_reused", "this key has sent another batch: take another key, or the first document"},
    {"tenant_suspended", "the platform has suspended this tenant: penguinctl tenants update TENANT --suspended=false"},
    {"too_many_attempts", "too many wrong keys came from this address: wait a minute"},
    {"too_many_connections", "try again, or give --retries"},
    {"unavailable", "a store of the daemon does not answer (penguinctl health ready); try again, or give --retries"},
    {"internal_error", "the daemon's log has the cause under this request id"},
}};

std::string hint_of(std::string_view code)
{
    const auto* const found = std::ranges::find(kHints, code, &Hint::first);
    return found == kHints.end() ? "" : std::string{found->second};
}

std::string text_at(const json::value& problem, std::string_view path)
{
    const std::string text = cell_of(problem, path).text;
    return text == "-" ? "" : text;
}

std::string issues_of(const json::value& problem)
{
    const json::value* const errors = problem.as_object().if_contains("errors");
    if (errors == nullptr || !errors->is_array()) return {};
    std::string out;
    for (const json::value& error : errors->get_array())
        out +=
            fmt::format("  {}: {} ({})\n", text_at(error, "field"), text_at(error, "detail"), text_at(error, "code"));
    return out;
}

std::string_view help_with(Errc code)
{
    switch (code) {
    case Errc::refused: return "nobody listens there: is the daemon up, and is it the right address?";
    case Errc::timeout: return "--timeout-s gives it longer";
    case Errc::tls_failed:
        return "the certificate must be of the URL's host and of an authority that is trusted (ca_file of the profile)";
    case Errc::malformed: return "what answers there is no API of penguin-mta";
    case Errc::not_found:
    case Errc::unreachable: return "is the host of the URL right?";
    default: return "";
    }
}

std::string with_hint(std::string text, std::string_view hint)
{
    if (!hint.empty()) text += fmt::format("hint: {}\n", hint);
    return text;
}

} // namespace

std::string refused_text(const http_client::Answer& answer, const std::string& key_from)
{
    boost::system::error_code code;
    const json::value problem = json::parse(answer.body, code);
    if (code || !problem.is_object() || !problem.as_object().contains("code"))
        return fmt::format("penguinctl: answered with status {}\n", answer.status);
    const std::string name = text_at(problem, "code");
    std::string out = fmt::format("penguinctl: {} {} ({})\n", answer.status, text_at(problem, "title"), name);
    const std::string issues = issues_of(problem);
    if (issues.empty() || name != "validation_failed") out += fmt::format("  {}\n", text_at(problem, "detail"));
    out += issues;
    std::string hint = hint_of(name);
    if (name == "unauthenticated" && key_from.empty())
        hint = "no key was sent: set PENGUIN_KEY, or name a profile that has one (--profile)";
    else if (name == "unauthenticated")
        hint = fmt::format("{} {}", key_from, hint);
    if (const auto wait = answer.field("Retry-After")) out += fmt::format("  try again in {} s\n", shown_text(*wait));
    out = with_hint(std::move(out), hint);
    if (const std::string id = text_at(problem, "instance"); !id.empty()) out += fmt::format("request: {}\n", id);
    return out;
}

std::string unreachable_text(const Error& error, const std::string& url)
{
    return with_hint(fmt::format("penguinctl: {}: {}\n", url, shown_text(error.detail)), help_with(error.code));
}

} // namespace penguin::control::ctl
