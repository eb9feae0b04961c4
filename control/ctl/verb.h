// control/ctl/verb.h
// A verb of penguinctl as data: which call of the API it is, what it takes, what of the answer people see. One row is all that a
// verb needs: arguments, help, completion, the request and the tables are made from it, and a test holds the rows against
// control/openapi.yaml.
//
//   Param    named as in the API. In the path (or `positional`) it is an argument, elsewhere the option --name with - for _
//   Column   `path` leads into a JSON value: "counts.total"; "" is the value itself; through an array it is each item's
//   View     `fields` one a line, then the `rows` as a table. Of an object as rows: `key` and `value` of each member
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace penguin::control::ctl {

enum class Place : std::uint8_t { path, query, body, if_match };
enum class Kind : std::uint8_t { text, flag, whole, number, texts };

struct Param {
    std::string_view name;
    Place place = Place::body;
    Kind kind = Kind::text;
    bool required = false;
    std::string_view help;
    std::vector<std::string_view> choices; // for help and completion; the API decides
    bool positional = false;               // of the body, and yet an argument
};

struct Column {
    std::string_view title;
    std::string_view path;
};

struct View {
    std::vector<Column> fields;
    std::string_view rows; // path of the array (or object); empty: no table
    std::vector<Column> columns;
};

struct Verb {
    std::string_view resource;
    std::string_view name;
    std::string_view help;
    std::string_view method;
    std::string_view path; // "/v1/tenants/{tenant}"
    std::vector<Param> params;
    View view;
    std::string_view done; // said to people when the answer is empty (204)
    bool paged = false;
    bool takes_file = false;      // the body is a JSON document in a file
    std::string_view file_field;  // with takes_file: the file is no JSON but the text of this field of the body
    bool idempotency_key = false; // takes the header Idempotency-Key
    bool repeatable = false;      // a POST that may be repeated without one
    bool plain_text = false;      // the answer is text, for people and programs alike
};

// An argument: always there.
inline Param argument(std::string_view name, std::string_view help)
{
    return {.name = name, .place = Place::path, .required = true, .help = help, .choices = {}};
}
inline Param field(std::string_view name, std::string_view help, Kind kind = Kind::text)
{
    return {.name = name, .kind = kind, .help = help, .choices = {}};
}
inline Param needed(std::string_view name, std::string_view help, Kind kind = Kind::text)
{
    return {.name = name, .kind = kind, .required = true, .help = help, .choices = {}};
}
inline Param filter(std::string_view name, std::string_view help, std::vector<std::string_view> choices = {})
{
    return {.name = name, .place = Place::query, .help = help, .choices = std::move(choices)};
}

// Of every list.
inline Param page_limit()
{
    return {.name = "limit", .place = Place::query, .kind = Kind::whole, .help = "rows a page", .choices = {}};
}
inline Param page_cursor() { return filter("cursor", "go on behind the page that named it"); }

// Messages by state, of a batch or of a campaign.
std::vector<Column> batch_counts();

// The verbs of each resource, one file each (verbs/).
std::vector<Verb> tenant_verbs();
std::vector<Verb> pool_verbs();
std::vector<Verb> source_verbs();
std::vector<Verb> warmup_verbs();
std::vector<Verb> signal_verbs();
std::vector<Verb> domain_verbs();
std::vector<Verb> api_key_verbs();
std::vector<Verb> suppression_verbs();
std::vector<Verb> batch_verbs();
std::vector<Verb> campaign_verbs();
std::vector<Verb> message_verbs();
std::vector<Verb> event_verbs();
std::vector<Verb> queue_verbs();
std::vector<Verb> rule_verbs();
std::vector<Verb> pause_verbs();
std::vector<Verb> audit_verbs();
std::vector<Verb> health_verbs();

// Those of one resource stand together.
std::vector<Verb> all_verbs();
const Verb* find_verb(std::span<const Verb> verbs, std::string_view resource, std::string_view name);

} // namespace penguin::control::ctl
