// Prints the verb table as JSON, for verbs_test.py.
#include <iostream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "control/ctl/verb.h"

using namespace penguin::control::ctl;
namespace json = boost::json;

namespace {

json::string text(std::string_view from) { return json::string{from.data(), from.size()}; }

json::array paths_of(const std::vector<Column>& columns)
{
    json::array paths;
    for (const Column& column : columns) paths.emplace_back(text(column.path));
    return paths;
}

json::array params_of(const Verb& verb)
{
    static constexpr std::string_view kPlaces[] = {"path", "query", "body", "if_match"};
    static constexpr std::string_view kKinds[] = {"text", "flag", "whole", "number", "texts"};
    json::array params;
    for (const Param& param : verb.params) {
        json::array choices;
        for (const std::string_view choice : param.choices) choices.emplace_back(text(choice));
        params.push_back(json::object{{"name", text(param.name)},
                                      {"in", text(kPlaces[static_cast<std::size_t>(param.place)])},
                                      {"kind", text(kKinds[static_cast<std::size_t>(param.kind)])},
                                      {"required", param.required},
                                      {"choices", std::move(choices)}});
    }
    return params;
}

} // namespace

int main()
{
    json::array verbs;
    for (const Verb& verb : all_verbs())
        verbs.push_back(json::object{{"name", text(std::string{verb.resource} + " " + std::string{verb.name})},
                                     {"method", text(verb.method)},
                                     {"path", text(verb.path)},
                                     {"params", params_of(verb)},
                                     {"fields", paths_of(verb.view.fields)},
                                     {"rows", text(verb.view.rows)},
                                     {"columns", paths_of(verb.view.columns)},
                                     {"done", text(verb.done)},
                                     {"paged", verb.paged},
                                     {"takes_file", verb.takes_file},
                                     {"file_field", text(verb.file_field)},
                                     {"idempotency_key", verb.idempotency_key},
                                     {"plain_text", verb.plain_text}});
    std::cout << json::serialize(verbs) << '\n';
}
