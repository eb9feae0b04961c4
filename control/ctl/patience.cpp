#include "control/ctl/patience.h"

#include <charconv>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "control/ctl/view.h"

namespace penguin::control::ctl {

namespace {

std::optional<std::chrono::seconds> retry_after(const http_client::Answer& answer)
{
    const auto field = answer.field("Retry-After");
    if (!field) return std::nullopt;
    unsigned seconds = 0;
    const auto [end, status] = std::from_chars(field->data(), field->data() + field->size(), seconds);
    if (status != std::errc{} || end != field->data() + field->size()) return std::nullopt;
    return std::chrono::seconds{seconds};
}

std::string code_of(const http_client::Answer& answer)
{
    boost::system::error_code code;
    const boost::json::value problem = boost::json::parse(answer.body, code);
    return code ? std::string{} : cell_of(problem, "code").text;
}

} // namespace

std::optional<std::chrono::seconds> wait_before_retry(const http_client::Answer& answer, bool repeatable)
{
    if (answer.status != 429 && answer.status != 503) return std::nullopt;
    const bool undone = answer.status == 429 || code_of(answer) == "too_many_connections";
    if (!undone && !repeatable) return std::nullopt;
    const auto wait = retry_after(answer);
    return wait && *wait <= kRetryWaitMax ? wait : std::nullopt;
}

awaitable<Result<http_client::Answer>> call_patiently(ApiClient& client, Call call, unsigned retries,
                                                      std::function<void(const std::string&)> tell)
{
    Result<http_client::Answer> answer = co_await client.call(call);
    for (unsigned tried = 1; tried <= retries && answer; ++tried) {
        const auto wait = wait_before_retry(*answer, call.repeatable);
        if (!wait) break;
        tell(fmt::format("status {}, trying again in {} s ({} of {})", answer->status, wait->count(), tried, retries));
        co_await sleep_for(*wait);
        answer = co_await client.call(call);
    }
    co_return answer;
}

} // namespace penguin::control::ctl
