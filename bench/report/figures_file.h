// bench/report/figures_file.h
// A file that a verb wrote with --json, and places in it that know their name, so that a wrong one can be told. Does no I/O.
//
//   in      {verb, machine, git, options, runs, results}; a member that is null counts as missing
//   errors  BenchError "FILE: FIELD RULE"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

namespace penguin::bench::report {

namespace json = boost::json;

class Field {
public:
    // Both outlive it.
    Field(const json::value& value, const std::string& file, std::string path);

    std::optional<Field> find(std::string_view name) const;
    Field at(std::string_view name) const; // throws when it is missing
    double number() const;                 // 0 to 1e15
    double signed_number() const;          // -1e15 to 1e15
    bool flag() const;
    std::string text() const;
    std::vector<Field> items() const;                           // of an array
    std::vector<std::pair<std::string, Field>> members() const; // of an object
    double number(std::string_view name) const { return at(name).number(); }
    std::string text(std::string_view name) const { return at(name).text(); }
    const json::value& value() const noexcept { return *value_; }
    [[noreturn]] void refuse(std::string_view rule) const;

private:
    const json::value* value_;
    const std::string* file_;
    std::string path_;
};

struct FiguresFile {
    std::string name; // of the file
    std::string verb;
    json::value root;
    Field field(std::string_view member) const { return Field{root, name, ""}.at(member); }
    Field results() const { return field("results"); }
    Field options() const { return field("options"); }
};

// Checks what all verbs have in common.
FiguresFile parse_figures(std::string_view text, const std::string& name);

using Files = std::vector<FiguresFile>;
std::vector<const FiguresFile*> of_verb(const Files& files, std::string_view verb);

} // namespace penguin::bench::report
