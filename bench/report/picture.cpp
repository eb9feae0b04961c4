#include "bench/report/picture.h"

#include <fstream>

#include <fmt/format.h>

#include "bench/harness/child.h"
#include "bench/harness/places.h"
#include "bench/harness/proc.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

constexpr const char* kGnuplot = "/usr/bin/gnuplot";

void replace_all(std::string& text, std::string_view from, std::string_view to)
{
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

// Shown as hints by browsers; they name nothing that a reader knows.
void drop_elements(std::string& svg, std::string_view open, std::string_view close)
{
    for (std::size_t at = svg.find(open); at != std::string::npos; at = svg.find(open, at)) {
        const std::size_t end = svg.find(close, at);
        if (end == std::string::npos) return;
        svg.erase(at, end + close.size() - at);
    }
}

std::string draw_one(Patience& patience, const std::filesystem::path& folder, const Chart& chart)
{
    const std::filesystem::path script = folder / "script";
    const std::filesystem::path drawn = folder / "drawn.svg";
    const std::filesystem::path words = folder / "words";
    std::filesystem::remove(drawn);
    std::filesystem::remove(words);
    std::ofstream{script} << fmt::format("set output '{}'\n", drawn.string()) << script_of(chart);
    if (!output_of(patience, kGnuplot, {"--default-settings", script.string()}, words))
        throw BenchError{fmt::format("'{}' cannot be drawn by {} (package gnuplot-nox): {}", title_of(chart), kGnuplot,
                                     text_of_file(words.string()))};
    return text_of_file(drawn.string());
}

} // namespace

std::string as_element(std::string_view drawn, std::size_t number, const std::string& title)
{
    constexpr std::string_view kOpen = "<svg";
    const std::size_t at = drawn.find(kOpen);
    if (at == std::string_view::npos) throw BenchError{fmt::format("'{}': gnuplot drew nothing", title)};
    std::string svg{drawn.substr(at + kOpen.size())};
    drop_elements(svg, "<title>", "</title>");
    drop_elements(svg, "<desc>", "</desc>");
    for (const std::string_view name : {"gp", "textbox", "greybox"}) {
        replace_all(svg, fmt::format("id='{}", name), fmt::format("id='p{}-{}", number, name));
        replace_all(svg, fmt::format("'#{}", name), fmt::format("'#p{}-{}", number, name));
    }
    replace_all(svg, "id=\"gnuplot_", fmt::format("id=\"p{}-", number));
    return fmt::format("<svg role=\"img\" aria-label=\"{}\"{}", escaped(title), svg);
}

std::vector<std::string> draw(Patience& patience, const std::vector<Chart>& charts)
{
    const WorldFolder folder{"/var/tmp"};
    std::vector<std::string> elements;
    elements.reserve(charts.size());
    for (const Chart& chart : charts)
        elements.push_back(as_element(draw_one(patience, folder.path(), chart), elements.size() + 1, title_of(chart)));
    return elements;
}

} // namespace penguin::bench::report
