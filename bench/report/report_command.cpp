#include "bench/report/report_command.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "bench/report/page.h"
#include "bench/report/picture.h"

namespace penguin::bench::report {

namespace {

constexpr std::uintmax_t kFileMost = 64 << 20; // octets
constexpr std::chrono::seconds kLongest{300};

struct Words {
    std::string out;
    std::vector<std::string> files;
};

Files read_all(const std::vector<std::string>& names)
{
    Files files;
    for (const std::string& name : names) {
        std::error_code error;
        const std::uintmax_t size = std::filesystem::file_size(name, error);
        if (error) throw BenchError{fmt::format("{}: {}", name, error.message())};
        if (size > kFileMost) throw BenchError{fmt::format("{}: must not have more than {} octets", name, kFileMost)};
        std::ifstream in{name, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        if (!in) throw BenchError{fmt::format("{}: cannot be read", name)};
        files.push_back(parse_figures(text, name));
    }
    return files;
}

// Replaced whole.
void write(const std::string& page, const std::string& name)
{
    const std::string written = name + ".new";
    std::ofstream out{written, std::ios::binary};
    out << page;
    out.close();
    if (!out) throw BenchError{"--out: cannot write " + name};
    std::filesystem::rename(written, name);
}

void make(const Words& words)
{
    Patience patience{kLongest};
    const Files files = read_all(words.files);
    const std::vector<Section> sections = sections_of(files);
    std::vector<Chart> charts;
    for (const Section& section : sections) charts.insert(charts.end(), section.charts.begin(), section.charts.end());
    write(page_of(headline_of(files), sections, draw(patience, charts)), words.out);
    std::printf("%s: %zu sections, %zu charts of %zu files\n", words.out.c_str(), sections.size(), charts.size(),
                files.size());
}

int run(const Words& words)
{
    try {
        make(words);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "penguin-bench report: %s\n", error.what());
        return 1;
    }
}

} // namespace

void add_report_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    CLI::App* command = app.add_subcommand("report", "Make one HTML page of the figures that the other verbs wrote");
    command->add_option("--out", words->out, "FILE for the page")->required();
    command->add_option("files", words->files, "What the other verbs wrote with --json, in any order")->required();
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench::report
