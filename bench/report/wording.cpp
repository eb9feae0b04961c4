#include "bench/report/wording.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

namespace penguin::bench::report {

namespace {

using Names = std::map<std::string_view, std::string_view>;

std::string named(const Names& names, std::string_view name)
{
    const auto found = names.find(name);
    return found == names.end() ? spaced(name) : std::string{found->second};
}

std::string mail_label(const FiguresFile& file)
{
    const Field options = file.options();
    std::string label = signing_words(options.text("dkim"));
    if (const auto tls = options.find("tls"); tls && tls->flag()) label += ", TLS";
    if (const auto content = options.find("content"); content && content->text() == "distinct")
        label += ", each different";
    return label;
}

} // namespace

std::string grouped(double value)
{
    std::string digits = fmt::format("{:.0f}", value);
    const std::ptrdiff_t first = digits.starts_with('-') ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string figure(double value)
{
    constexpr double kWhole = 99.95;
    constexpr double kTenths = 9.995;
    const double size = std::abs(value);
    if (size >= kWhole) return grouped(value);
    std::string text = fmt::format("{:.{}f}", value, size >= kTenths ? 1 : 2);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string volume(double messages)
{
    constexpr double kMillion = 1e6;
    return messages < kMillion ? grouped(messages) : figure(messages / kMillion) + " million";
}

std::string spaced(std::string_view name)
{
    std::string text{name};
    std::ranges::replace(text, '_', ' ');
    return text;
}

std::string component_name(std::string_view name)
{
    return named({{"daemon", "penguin-mta"},
                  {"redis", "Redis (queue)"},
                  {"postgres", "PostgreSQL (records)"},
                  {"dns", "name server"}},
                 name);
}

std::string mta_name(std::string_view name) { return named({{"ours", "penguin-mta"}, {"postfix", "Postfix"}}, name); }

std::string limit_words(std::string_view limit)
{
    return named({{"waiting", "waiting for answers and the disk"},
                  {"others", "other programs on the machine"},
                  {"machine", "the cores of the machine"},
                  {"sink", "the receiving side"},
                  {"client", "the load generator"},
                  {"daemon", "a thread of penguin-mta"},
                  {"redis", "Redis, one core"},
                  {"postgres", "a process of PostgreSQL"},
                  {"dns", "the name server"}},
                 limit);
}

std::string need_words(std::string_view limit)
{
    constexpr std::string_view kConnections = "connections_";
    if (limit.starts_with(kConnections)) return fmt::format("connections to {}", limit.substr(kConnections.size()));
    return named({{"cpu", "the processor"},
                  {"network", "the network"},
                  {"addresses", "how many IP addresses a machine may have"},
                  {"site_connections", "connections to one provider"},
                  {"accepting", "accepting mail"},
                  {"day_cap", "how many messages a day one address may send"},
                  {"nodes", "one for each machine"}},
                 limit);
}

std::string signing_words(std::string_view dkim)
{
    return named({{"none", "unsigned"},
                  {"rsa2048", "signed (RSA-2048)"},
                  {"ed25519", "signed (Ed25519)"},
                  {"both", "signed (RSA-2048 and Ed25519)"}},
                 dkim);
}

std::string file_stem(const FiguresFile& file) { return std::filesystem::path{file.name}.stem().string(); }

std::vector<std::string> mail_labels(const std::vector<const FiguresFile*>& files)
{
    std::vector<std::string> plain;
    plain.reserve(files.size());
    for (const FiguresFile* file : files) plain.push_back(mail_label(*file));
    std::vector<std::string> labels = plain;
    for (std::size_t i = 0; i < files.size(); ++i)
        if (std::ranges::count(plain, plain[i]) > 1) labels[i] += fmt::format(" [{}]", file_stem(*files[i]));
    return labels;
}

std::string allowed(std::string_view utf8)
{
    constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
    std::string text;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const char letter = utf8[i];
        const std::string_view three = utf8.substr(i, 3);
        const bool no_character = three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF"; // U+FFFE and U+FFFF
        if (no_character) i += 2;
        if (no_character || (static_cast<unsigned char>(letter) < ' ' && letter != '\t' && letter != '\n'))
            text += kReplacement;
        else
            text += letter;
    }
    return text;
}

std::string escaped(std::string_view utf8)
{
    std::string text;
    for (const char letter : allowed(utf8)) {
        if (letter == '&')
            text += "&amp;";
        else if (letter == '<')
            text += "&lt;";
        else if (letter == '>')
            text += "&gt;";
        else if (letter == '"')
            text += "&quot;";
        else
            text += letter;
    }
    return text;
}

} // namespace penguin::bench::report
