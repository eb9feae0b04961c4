#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

Param version(std::string_view help) { return argument("version", help); }

Param if_match()
{
    return {.name = "If-Match",
            .place = Place::if_match,
            .help = "only while the newest version is still this one",
            .choices = {}};
}

std::vector<Column> version_columns()
{
    return {{"VERSION", "version"}, {"CREATED", "created_at"},     {"AUTHOR", "author"},  {"COMMENT", "comment"},
            {"OCTETS", "octets"},   {"REPEATS", "rolled_back_to"}, {"SHIPPED", "shipped"}};
}

View version_view()
{
    return {.fields = {{"version", "version"}, {"repeats", "rolled_back_to"}, {"created", "created_at"}},
            .rows = {},
            .columns = {}};
}

Verb list()
{
    return {.resource = "rules",
            .name = "list",
            .help = "The reply rules that a node has in force, in the order in which they are asked",
            .method = "GET",
            .path = "/v1/rules",
            .params = {filter("provider", "rules of this provider alone"),
                       filter("origin", "rules of this layer alone", {"shipped", "file", "stored"})},
            .view = {.fields = {{"stored version in force", "version"},
                                {"newer version refused here", "refused.version"},
                                {"why", "refused.detail"},
                                {"shipped rules", "shipped"}},
                     .rows = "rules",
                     .columns = {{"ID", "id"},
                                 {"FROM", "origin"},
                                 {"PROVIDERS", "providers"},
                                 {"PHASES", "phases"},
                                 {"CODES", "codes"},
                                 {"ENHANCED", "enhanced"},
                                 {"CLASS", "class"},
                                 {"KIND", "kind"},
                                 {"REACTIONS", "reactions"}}}};
}

Verb try_reply()
{
    return {.resource = "rules",
            .name = "try",
            .help = "Which rule knows a reply, why, and what would happen",
            .method = "POST",
            .path = "/v1/rules/try",
            .params = {{.name = "reply",
                        .required = true,
                        .help = R"(as the server sent it; lines by line ends or by " | ")",
                        .choices = {},
                        .positional = true},
                       field("provider", "who said it (default: nobody known)"),
                       {.name = "phase",
                        .help = "what it answers",
                        .choices = {"greeting", "ehlo", "tls", "mail", "rcpt", "data", "body"}}},
            .view = {.fields = {{"decided by", "decided_by"},
                                {"a rule", "known"},
                                {"from", "origin"},
                                {"because", "because"},
                                {"class", "class"},
                                {"message", "kind"},
                                {"recipient suppressed", "suppress"},
                                {"not before, s", "wait_s"},
                                {"no longer than, s", "life_s"},
                                {"reactions", "reactions"},
                                {"verified", "verified"},
                                {"note", "note"},
                                {"behind it", "behind"},
                                {"read as", "read_as"}},
                     .rows = {},
                     .columns = {}},
            .repeatable = true};
}

} // namespace

std::vector<Verb> rule_verbs()
{
    return {
        list(),
        {.resource = "rules",
         .name = "versions",
         .help = "What was stored over the shipped rules, newest first",
         .method = "GET",
         .path = "/v1/rules/versions",
         .params = {},
         .view = {.fields = {}, .rows = "data", .columns = version_columns()},
         .paged = true},
        {.resource = "rules",
         .name = "show",
         .help = "The text of a stored version (TOML), to be edited and put back",
         .method = "GET",
         .path = "/v1/rules/versions/{version}",
         .params = {version("its number")},
         .view = {},
         .plain_text = true},
        {.resource = "rules",
         .name = "put",
         .help = "Store a file of rules as the new version; in force on all nodes within 2 seconds",
         .method = "PUT",
         .path = "/v1/rules",
         .params = {field("comment", "why"), if_match()},
         .view = version_view(),
         .takes_file = true,
         .file_field = "text"},
        {.resource = "rules",
         .name = "rollback",
         .help = "Store an older version again as the new one; 0 is none at all",
         .method = "POST",
         .path = "/v1/rules/versions/{version}/rollback",
         .params = {version("the one to go back to"), if_match()},
         .view = version_view()},
        {.resource = "rules",
         .name = "check",
         .help = "Everything that is wrong with a file of rules; stores nothing",
         .method = "POST",
         .path = "/v1/rules/check",
         .params = {},
         .view = {.fields = {{"rules of the file", "own_rules"},
                             {"rules with those below", "rules"},
                             {"providers", "providers"}},
                  .rows = {},
                  .columns = {}},
         .takes_file = true,
         .file_field = "text",
         .repeatable = true},
        try_reply(),
        {.resource = "rules",
         .name = "coverage",
         .help = "Refusals of the last days that no rule knew, the most frequent first",
         .method = "GET",
         .path = "/v1/rules/coverage",
         .params = {{.name = "days", .place = Place::query, .kind = Kind::whole, .help = "with today", .choices = {}},
                    page_limit()},
         .view = {.fields = {{"days", "days"}},
                  .rows = "replies",
                  .columns = {{"COUNT", "count"},
                              {"PHASE", "phase"},
                              {"SITE", "site"},
                              {"LAST", "last_at"},
                              {"REPLY", "reply"}}}},
    };
}

} // namespace penguin::control::ctl
