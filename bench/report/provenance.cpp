#include "bench/report/provenance.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

bool plain_in_shell(char letter)
{
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+%@";
    return kPlain.contains(letter);
}

std::string shell_word(const std::string& text)
{
    if (!text.empty() && std::ranges::all_of(text, plain_in_shell)) return text;
    std::string word = "'";
    for (const char letter : text) word += letter == '\'' ? "'\\''" : std::string(1, letter);
    return word + "'";
}

std::string value_text(const json::value& value)
{
    constexpr double kExact = 1e15;
    if (value.is_string()) return std::string{value.get_string()};
    if (!value.is_number()) return json::serialize(value);
    const auto number = value.to_number<double>();
    const bool whole = number == std::trunc(number) && std::abs(number) < kExact;
    return whole ? fmt::format("{:.0f}", number) : fmt::format("{}", number);
}

class Command {
public:
    explicit Command(const std::string& verb) : text_{"penguin-bench " + shell_word(verb)} {}

    void option(std::string name, const json::value& value)
    {
        std::ranges::replace(name, '_', '-');
        name = shell_word("--" + name);
        if (value.is_bool()) {
            if (value.get_bool()) text_ += " " + name;
        } else if (value.is_array()) {
            list(name, value.get_array());
        } else if (!value.is_null()) {
            text_ += fmt::format(" {} {}", name, shell_word(value_text(value)));
        }
    }
    const std::string& text() const { return text_; }

private:
    // Numbers stand in one word, texts are options of their own.
    void list(const std::string& name, const json::array& values)
    {
        const bool texts = std::ranges::any_of(values, [](const json::value& one) { return one.is_string(); });
        std::vector<std::string> words;
        for (const json::value& value : values) words.push_back(shell_word(value_text(value)));
        if (texts)
            for (const std::string& word : words) text_ += fmt::format(" {} {}", name, word);
        else if (!words.empty())
            text_ += fmt::format(" {} {}", name, fmt::join(words, ","));
    }

    std::string text_;
};

// The planner's options that are more than one word, and the files that it read.
void add_plan_options(Command& command, const FiguresFile& file)
{
    if (const auto shares = file.options().find("shares"))
        for (const auto& [name, part] : shares->members())
            command.option("share", json::value(fmt::format("{}={}", name, value_text(part.value()))));
    if (const auto machine = file.options().find("machine"))
        for (const auto& [name, value] : machine->members())
            command.option(name == "name"        ? "machine"
                           : name == "addresses" ? "addresses-per-node"
                                                 : name,
                           value.value());
    std::set<std::string> read;
    if (const auto from = file.results().find("figures_from"))
        for (const auto& [figure, name] : from->members())
            if (name.value().is_string() && name.text() != "default") read.insert(name.text());
    for (const std::string& name : read) command.option("figures", json::value(name));
}

// "limit": "others" anywhere in it.
bool was_disturbed(const json::value& value)
{
    if (value.is_array()) return std::ranges::any_of(value.get_array(), was_disturbed);
    if (!value.is_object()) return false;
    return std::ranges::any_of(value.get_object(), [](const auto& member) {
        return (member.key() == "limit" && member.value() == json::value("others")) || was_disturbed(member.value());
    });
}

// The values of an axis are an option only of one axis alone.
void add_scale_options(Command& command, const FiguresFile& file)
{
    const auto axes = file.options().find("axes");
    if (!axes || !axes->value().is_object()) return;
    const auto members = axes->members();
    for (const auto& [name, values] : members) command.option("axis", json::value(name));
    if (members.size() == 1) command.option("values", members.front().second.value());
}

} // namespace

std::string command_of(const FiguresFile& file)
{
    Command command{file.verb};
    for (const auto& [name, value] : file.options().members())
        if (!value.value().is_object()) command.option(name, value.value());
    if (file.verb == "scale") add_scale_options(command, file);
    if (file.verb == "plan")
        add_plan_options(command, file);
    else
        command.option("runs", json::value(file.field("runs").items().size()));
    return command.text();
}

std::string place_of(const FiguresFile& file)
{
    constexpr double kMegabytesAGigabyte = 1024;
    const Field machine = file.field("machine");
    std::string text = fmt::format("{:.0f} cores ({}), {} GB", machine.number("cores"), machine.text("model"),
                                   figure(machine.number("memory_mb") / kMegabytesAGigabyte));
    if (const auto kernel = machine.find("kernel")) text += ", Linux " + kernel->text();
    text += fmt::format("; commit {}; load {}", file.field("git").text(), figure(machine.number("load")));
    if (const auto after = machine.find("load_after"))
        text += fmt::format(" before, {} after", figure(after->number()));
    const std::size_t runs = file.field("runs").items().size();
    if (runs > 0) text += runs == 1 ? "; one run" : fmt::format("; median of {} runs", runs);
    return text;
}

bool disturbed(const FiguresFile& file) { return was_disturbed(file.results().value()); }

} // namespace penguin::bench::report
