// tests/control/api/probes.h
// One call of each route of a tenant, by the names of the things it is about. A new route needs one here.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api_fixture.h"

namespace penguin::control::api::test {

// What a call names: A's thing, or one of the same form that nobody has.
struct Named {
    std::string domain, key, address, batch, message, campaign;
};

struct Probe {
    std::function<std::string(const Named&)> target;
    std::function<std::string(const Named&)> body = [](const Named&) { return std::string{}; };
};

inline std::string batch_from(const std::string& domain)
{
    return R"({"template": {"from": {"email": "x@)" + domain +
           R"("}, "subject": "s", "text": "t"}, "recipients": [{"email": "ann@example.net"}]})";
}

inline std::string injection_from(const std::string& domain)
{
    return json::serialize(json::object{{"envelope_sender", "x@" + domain},
                                        {"content", "From: x@" + domain + "\nSubject: s\n\nt\n"},
                                        {"recipients", json::array{{{"email", "ann@example.net"}}}}});
}

inline constexpr const char* kWindow =
    R"({"days": ["mon", "fri"], "from": "09:00", "until": "17:00", "time_zone": "Europe/Berlin"})";

inline const std::map<std::string, Probe>& probes()
{
    const auto fixed = [](const char* target) { return [target](const Named&) { return std::string{target}; }; };
    static const std::map<std::string, Probe> all{
        {"POST /v1/domains", {fixed("/v1/domains"), [](const Named& n) { return R"({"name": ")" + n.domain + "\"}"; }}},
        {"GET /v1/domains", {fixed("/v1/domains")}},
        {"GET /v1/domains/{domain}", {[](const Named& n) { return "/v1/domains/" + n.domain; }}},
        {"DELETE /v1/domains/{domain}", {[](const Named& n) { return "/v1/domains/" + n.domain; }}},
        {"POST /v1/domains/{domain}/verify", {[](const Named& n) { return "/v1/domains/" + n.domain + "/verify"; }}},
        {"POST /v1/api-keys",
         {fixed("/v1/api-keys"), [](const Named&) { return R"({"name": "k", "scopes": ["keys:read"]})"; }}},
        {"GET /v1/api-keys", {fixed("/v1/api-keys?limit=1&cursor=")}}, // see target_of
        {"GET /v1/api-keys/{key}", {[](const Named& n) { return "/v1/api-keys/" + n.key; }}},
        {"DELETE /v1/api-keys/{key}", {[](const Named& n) { return "/v1/api-keys/" + n.key; }}},
        {"POST /v1/suppressions",
         {fixed("/v1/suppressions"), [](const Named& n) { return R"({"address": ")" + n.address + "\"}"; }}},
        {"GET /v1/suppressions", {fixed("/v1/suppressions")}},
        {"DELETE /v1/suppressions/{address}", {[](const Named& n) { return "/v1/suppressions/" + n.address; }}},
        {"POST /v1/batches", {fixed("/v1/batches"), [](const Named& n) { return batch_from(n.domain); }}},
        {"GET /v1/batches", {fixed("/v1/batches")}},
        {"GET /v1/batches/{batch}", {[](const Named& n) { return "/v1/batches/" + n.batch; }}},
        {"POST /v1/batches/{batch}/cancel", {[](const Named& n) { return "/v1/batches/" + n.batch + "/cancel"; }}},
        {"GET /v1/campaigns", {fixed("/v1/campaigns")}},
        {"GET /v1/campaigns/{campaign}", {[](const Named& n) { return "/v1/campaigns/" + n.campaign; }}},
        {"POST /v1/campaigns/{campaign}/pause",
         {[](const Named& n) { return "/v1/campaigns/" + n.campaign + "/pause"; }}},
        {"POST /v1/campaigns/{campaign}/resume",
         {[](const Named& n) { return "/v1/campaigns/" + n.campaign + "/resume"; }}},
        {"POST /v1/campaigns/{campaign}/cancel",
         {[](const Named& n) { return "/v1/campaigns/" + n.campaign + "/cancel"; }}},
        {"POST /v1/campaigns/{campaign}/window",
         {[](const Named& n) { return "/v1/campaigns/" + n.campaign + "/window"; },
          [](const Named&) { return std::string{kWindow}; }}},
        {"DELETE /v1/campaigns/{campaign}/window",
         {[](const Named& n) { return "/v1/campaigns/" + n.campaign + "/window"; }}},
        {"GET /v1/messages/{message}", {[](const Named& n) { return "/v1/messages/" + n.message; }}},
        {"GET /v1/events", {[](const Named& n) { return "/v1/events?batch=" + n.batch; }}},
        {"POST /api/inject/v1", {fixed("/api/inject/v1"), [](const Named& n) { return injection_from(n.domain); }}},
    };
    return all;
}

} // namespace penguin::control::api::test
