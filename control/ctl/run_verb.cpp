#include "control/ctl/run_verb.h"

#include <fstream>
#include <iostream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "control/ctl/problem_text.h"
#include "control/ctl/view.h"
#include "engine/base/uuid.h"

namespace penguin::control::ctl {

namespace {

namespace json = boost::json;

constexpr std::string_view kPageMost = "500"; // rows that the API gives at once

Result<std::string> document_in(const std::string& file)
{
    std::ifstream opened;
    if (file != "-") opened.open(file, std::ios::binary);
    std::istream& in = file == "-" ? std::cin : opened;
    if (!in) return fail(Errc::not_found, file + ": cannot be opened for reading");
    std::string text;
    std::string part(std::size_t{64} * 1024, '\0');
    while (in && text.size() <= kDocumentMax) {
        in.read(part.data(), static_cast<std::streamsize>(part.size()));
        text.append(part, 0, static_cast<std::size_t>(in.gcount()));
    }
    if (in.bad()) return fail(Errc::local_fault, file + ": cannot be read");
    if (text.size() > kDocumentMax)
        return fail(Errc::too_long, fmt::format("{}: is larger than {} octets", file, kDocumentMax));
    if (text.empty()) return fail(Errc::missing, file + ": is empty");
    return text;
}

class Run {
public:
    Run(const Arguments& arguments, ApiClient& client, const Profile& profile, Writers writers)
        : arguments_{arguments},
          verb_{*arguments.verb},
          client_{client},
          profile_{profile},
          writers_{std::move(writers)},
          viewer_{verb_.view}
    {
    }

    awaitable<int> all()
    {
        Given given = arguments_.given;
        if (arguments_.all && !given.contains("limit")) given["limit"] = {std::string{kPageMost}};
        Result<Call> call = first_call(given);
        while (call) {
            const Result<http_client::Answer> answer = co_await call_patiently(
                client_, *call, arguments_.retries, [this](const std::string& what) { say(what); });
            if (!answer || answer->status >= 500) tell_key(*call);
            if (!answer) co_return unreachable(answer.error());
            std::string next;
            if (const int status = show(*answer, next); status != kDone || next.empty()) co_return status;
            given["cursor"] = {next};
            call = call_of(verb_, given, {}, {});
        }
        say(call.error().detail);
        co_return kUsage;
    }

private:
    void say(const std::string& what) const { writers_.err(fmt::format("penguinctl: {}\n", what)); }

    Result<Call> first_call(const Given& given) const
    {
        std::string document;
        if (verb_.takes_file) {
            Result<std::string> read = document_in(arguments_.file);
            if (!read) return std::unexpected{read.error()};
            document = std::move(*read);
        }
        std::string key = arguments_.idempotency_key;
        if (verb_.idempotency_key && key.empty()) key = Uuid::v7(wall_now()).text();
        return call_of(verb_, given, std::move(document), std::move(key));
    }

    // Shows an answer; `next`: the cursor of the page to get.
    int show(const http_client::Answer& answer, std::string& next)
    {
        if (verb_.plain_text && answer.status < 300) {
            writers_.out(answer.body);
            return kDone;
        }
        if (answer.status < 300 && answer.body.empty()) {
            if (!arguments_.json) writers_.out(fmt::format("{}\n", verb_.done));
            return kDone;
        }
        error_code code;
        const json::value document = json::parse(answer.body, code);
        const bool problem = answer.field("Content-Type").value_or("").starts_with("application/problem+json");
        if (answer.status >= 300 && (problem || code)) return refused(answer, !code);
        if (code) {
            writers_.err(unreachable_text({Errc::malformed, "the answer is no JSON"}, profile_.url.text()));
            return kUnreachable;
        }
        show_document(answer, document);
        if (verb_.paged) next = next_page(document);
        return answer.status < 300 ? kDone : kRefused; // health: an answer like any other, of a node that is not well
    }

    void show_document(const http_client::Answer& answer, const json::value& document)
    {
        if (!arguments_.json) return writers_.out(viewer_.show(document));
        if (!arguments_.all) return writers_.out(answer.body + "\n");
        const json::value* const data = document.is_object() ? document.as_object().if_contains("data") : nullptr;
        if (data == nullptr || !data->is_array()) return;
        for (const json::value& item : data->get_array()) writers_.out(json::serialize(item) + "\n");
    }

    std::string next_page(const json::value& document) const
    {
        const json::value* const cursor =
            document.is_object() ? document.as_object().if_contains("next_cursor") : nullptr;
        if (cursor == nullptr || !cursor->is_string()) return {};
        std::string next{cursor->get_string()};
        if (arguments_.all) return next;
        if (!arguments_.json) say(fmt::format("there is more: --cursor {}, or --all", shown_text(next)));
        return {};
    }

    int refused(const http_client::Answer& answer, bool is_json) const
    {
        if (arguments_.json && is_json) writers_.out(answer.body + "\n");
        writers_.err(refused_text(answer, profile_.key.empty() ? "" : profile_.from));
        return kRefused;
    }

    void tell_key(const Call& call) const
    {
        if (!call.idempotency_key.empty())
            say(fmt::format("whether it was done is not certain; repeat it with --idempotency-key {}",
                            call.idempotency_key));
    }

    int unreachable(const Error& error) const
    {
        writers_.err(unreachable_text(error, profile_.url.text()));
        return error.code == Errc::bad_value ? kUsage : kUnreachable;
    }

    const Arguments& arguments_;
    const Verb& verb_;
    ApiClient& client_;
    const Profile& profile_;
    Writers writers_;
    Viewer viewer_;
};

} // namespace

awaitable<int> run_verb(const Arguments& arguments, ApiClient& client, const Profile& profile, Writers writers)
{
    Run run{arguments, client, profile, std::move(writers)};
    const int status = co_await run.all();
    co_return status;
}

} // namespace penguin::control::ctl
