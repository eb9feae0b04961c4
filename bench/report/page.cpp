#include "bench/report/page.h"

#include <algorithm>

#include <fmt/format.h>

#include "bench/report/provenance.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1d2429; background: #ffffff; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.5rem; padding-top: 1rem; border-top: 2px solid #1f5f99; }
p { max-width: 46rem; margin: 0.5rem 0; }
.lead p { font-size: 1.1rem; }
.lead table { max-width: 46rem; width: 100%; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; margin: 1rem 0; }
figure { margin: 0; max-width: 38rem; break-inside: avoid; }
figcaption { font-weight: 600; }
.legend { list-style: none; margin: 0.3rem 0; padding: 0; font-size: 0.9rem; }
.legend li { display: inline-block; margin-right: 1.2rem; }
.legend span { display: inline-block; width: 1.4rem; border-top: 0.6rem solid; margin-right: 0.4rem; vertical-align: middle; }
.legend span.dashed { border-top: 0.2rem dashed; }
svg { display: block; width: 100%; height: auto; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid #d8dee3; text-align: left; vertical-align: top; }
th { color: #5b6770; font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.number { text-align: right; }
.how { font-size: 0.85rem; color: #5b6770; }
.how code { color: #1d2429; }
.how code span { display: inline-block; overflow-wrap: anywhere; }
nav a { margin-right: 1rem; }
a { color: #1f5f99; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; } tr { break-inside: avoid; }
  h2 { break-after: avoid; } }
)";

std::string paragraphs(const std::vector<std::string>& texts)
{
    std::string html;
    for (const std::string& text : texts) html += fmt::format("<p>{}</p>\n", escaped(text));
    return html;
}

// "4,344", "67", "never", "375 million": stands to the right in its column.
bool is_number(const std::string& cell)
{
    return cell == "never" || cell == "one run" || cell.find_first_not_of("0123456789,.-+e %") == std::string::npos ||
           cell.ends_with(" million");
}

bool is_number_column(const Table& table, std::size_t column)
{
    for (const auto& row : table.rows)
        if (!is_number(row[column])) return false;
    return !table.rows.empty();
}

std::string html_of(const Table& table)
{
    std::vector<const char*> kinds;
    kinds.reserve(table.head.size());
    for (std::size_t i = 0; i < table.head.size(); ++i)
        kinds.push_back(is_number_column(table, i) ? " class=\"number\"" : "");
    std::string html = "<div class=\"wide\"><table>\n<thead><tr>";
    for (std::size_t i = 0; i < table.head.size(); ++i)
        html += fmt::format("<th{}>{}</th>", kinds[i], escaped(table.head[i]));
    html += "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
        html += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) html += fmt::format("<td{}>{}</td>", kinds[i], escaped(row[i]));
        html += "</tr>\n";
    }
    return html + "</tbody>\n</table></div>\n";
}

std::string html_of(const std::vector<LegendEntry>& legend)
{
    if (legend.empty()) return "";
    std::string html = "<ul class=\"legend\">";
    for (const LegendEntry& entry : legend)
        html += fmt::format("<li><span{} style=\"border-color: {}\"></span>{}</li>\n",
                            entry.dashed ? " class=\"dashed\"" : "", entry.colour, escaped(entry.name));
    return html + "</ul>\n";
}

// A line may end between two options, not in one.
std::string html_of_command(const std::string& command)
{
    std::string html;
    for (std::size_t at = 0; at < command.size();) {
        const std::size_t end = std::min(command.find(" --", at), command.size());
        html += fmt::format("<span>{}</span> ", escaped(command.substr(at, end - at)));
        at = end + 1;
    }
    return html;
}

std::string how(const Section& section)
{
    std::string html;
    for (const FiguresFile* file : section.from)
        html += fmt::format("<p class=\"how\">{} with <code>{}</code><br/>{}.{}</p>\n",
                            file->verb == "plan" ? "Computed" : "Measured", html_of_command(command_of(*file)),
                            escaped(place_of(*file)),
                            disturbed(*file) ? " Other programs took part of the machine meanwhile." : "");
    return html;
}

} // namespace

std::string page_of(const Headline& headline, const std::vector<Section>& sections,
                    const std::vector<std::string>& pictures)
{
    constexpr std::string_view kTitle = "penguin-mta: what it does, and what a volume of mail needs";
    std::string html =
        fmt::format("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
                    "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, "
                    "initial-scale=1\"/>\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
                    "<h1>{0}</h1>\n<div class=\"lead\">\n{2}{3}</div>\n<nav>",
                    kTitle, kStyle, paragraphs(headline.says), html_of(headline.table));
    for (const Section& section : sections)
        html += fmt::format("<a href=\"#{}\">{}</a>\n", section.id, escaped(section.title));
    html += "</nav>\n";
    std::size_t picture = 0;
    for (const Section& section : sections) {
        html += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}<div class=\"charts\">\n", section.id,
                            escaped(section.title), paragraphs(section.says));
        for (const Chart& chart : section.charts)
            html += fmt::format("<figure><figcaption>{}</figcaption>\n{}{}</figure>\n", escaped(title_of(chart)),
                                html_of(legend_of(chart)), pictures[picture++]);
        html += "</div>\n";
        for (const Table& table : section.tables) html += html_of(table);
        html += how(section) + "</section>\n";
    }
    return html + "</body>\n</html>\n";
}

} // namespace penguin::bench::report
