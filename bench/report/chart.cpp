#include "bench/report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

constexpr std::array kColours{"#1f5f99", "#e08a1e", "#3c8d40", "#8a5aa8", "#b8433b", "#5b6770", "#2aa0a4", "#c76b9b"};
constexpr int kRowHeight = 21; // px
constexpr double kTicks = 5;

const char* colour(std::size_t number) { return kColours[number % kColours.size()]; }

// A single-quoted string of gnuplot, where nothing but the quote is special. "]]>" may not stand in XML; gnuplot leaves it.
std::string quoted(std::string_view text)
{
    std::string word = "'";
    for (const char letter : allowed(text)) {
        if (letter == '>' && word.ends_with("]]")) word += ' ';
        word += static_cast<unsigned char>(letter) < ' ' || letter == '\x7f' ? ' ' : letter;
        if (letter == '\'') word += '\'';
    }
    return word + "'";
}

struct Range {
    double from = 0;
    double to = 1;
};

// Decades; steps of 1, 2, 5 when they are few.
std::vector<double> log_ticks(Range range)
{
    constexpr double kFew = 200; // two decades and something
    constexpr double kMany = 1e6;
    const bool few = range.to / range.from < kFew;
    const int stride = range.to / range.from > kMany ? 2 : 1;
    std::vector<double> at;
    const int last = static_cast<int>(std::ceil(std::log10(range.to)));
    for (int power = static_cast<int>(std::floor(std::log10(range.from))); power <= last; power += stride)
        for (const double part : {1.0, 2.0, 5.0}) {
            const double value = part * std::pow(10, power);
            if ((few || part == 1.0) && value >= range.from * 0.999 && value <= range.to * 1.001) at.push_back(value);
        }
    return at;
}

std::vector<double> linear_ticks(Range range)
{
    const double rough = range.to / kTicks;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * decade;
    for (const double part : {5.0, 2.0, 1.0})
        if (part * decade >= rough) step = part * decade;
    std::vector<double> at;
    for (int i = 0; i * step <= range.to; ++i) at.push_back(i * step);
    return at;
}

std::string axis(char name, Range range, bool log)
{
    std::string labels;
    for (const double at : log ? log_ticks(range) : linear_ticks(range))
        labels += fmt::format("{}{} {:.9g}", labels.empty() ? "" : ", ", quoted(figure(at)), at);
    return fmt::format("{0}set {1}range [{2:.9g}:{3:.9g}]\nset {1}tics nomirror ({4})\n",
                       log ? fmt::format("set logscale {}\n", name) : "", name, range.from, range.to, labels);
}

std::string start(int height)
{
    return fmt::format("set terminal svg size {},{} dynamic noenhanced font 'sans-serif,14' background '#ffffff'\n"
                       "set encoding utf8\nset border 3 linecolor '#5b6770'\nset style fill solid 1 noborder\n"
                       "set grid linecolor '#d8dee3' linetype 1\nset tics scale 0\nunset key\n",
                       kWidth, height);
}

// All that is drawn, of numbers alone, then the plot command.
class Drawing {
public:
    void data(const std::string& lines, const std::string& how)
    {
        blocks_ += fmt::format("$d{} << EOD\n{}EOD\n", count_, lines);
        plots_ += fmt::format("{} $d{} {}", count_ == 0 ? "plot" : ", \\\n ", count_, how);
        ++count_;
    }
    std::string text() const { return blocks_ + plots_ + "\n"; }

private:
    std::string blocks_;
    std::string plots_;
    std::size_t count_ = 0;
};

class BarDrawing {
public:
    explicit BarDrawing(const Bars& bars) : bars_{bars} { set_range(); }
    std::string script();

private:
    // Rows from the top down: a category's name, its bars, half a row of nothing.
    double row(std::size_t category) const
    {
        constexpr double kNameAndGap = 1.5;
        const double bars = bars_.stacked ? 1 : static_cast<double>(bars_.series.size());
        return static_cast<double>(category) * (bars + kNameAndGap);
    }
    double total(std::size_t category) const;
    void set_range();
    void draw(std::size_t number, std::vector<double>& ends);
    void draw_totals(const std::vector<double>& ends);

    const Bars& bars_;
    Range range_;
    Drawing drawing_;
};

double BarDrawing::total(std::size_t category) const
{
    double sum = 0;
    for (const BarSeries& series : bars_.series) {
        const double value = series.values[category].value_or(0);
        sum = bars_.stacked ? sum + value : std::max(sum, value);
    }
    return sum;
}

void BarDrawing::set_range()
{
    constexpr double kRoomForValue = 1.2;
    double most = 0;
    double least = 1e15;
    for (std::size_t i = 0; i < bars_.categories.size(); ++i) most = std::max(most, total(i));
    for (const BarSeries& series : bars_.series)
        for (const auto& value : series.values)
            if (value.value_or(0) > 0) least = std::min(least, *value);
    if (most <= 0) most = 1;
    range_ = {.from = 0, .to = most * kRoomForValue};
    if (!bars_.log) return;
    range_.from = std::pow(10, std::floor(std::log10(std::min(least, most) / 2)));
    range_.to = most * std::pow(most / range_.from, kRoomForValue - 1);
}

void BarDrawing::draw(std::size_t number, std::vector<double>& ends)
{
    constexpr double kThick = 0.9; // of a row
    std::string boxes;
    std::string values;
    for (std::size_t i = 0; i < bars_.categories.size(); ++i) {
        const auto& value = bars_.series[number].values[i];
        const double from = bars_.stacked ? ends[i] : range_.from;
        const double to = std::max(from, (bars_.stacked ? from : 0) + value.value_or(0));
        const double middle = row(i) + 1 + (bars_.stacked ? 0 : static_cast<double>(number));
        ends[i] = to;
        boxes += fmt::format("{0:.9g} {1:.9g} {2:.9g} {0:.9g} {3:.9g} {4:.9g}\n", to, middle, from, middle - kThick / 2,
                             middle + kThick / 2);
        if (value) values += fmt::format("{:.9g} {:.9g} \"{}\"\n", to, middle, figure(*value));
    }
    drawing_.data(boxes, fmt::format("using 1:2:3:4:5:6 with boxxyerror linecolor '{}'", colour(number)));
    if (!bars_.stacked && !values.empty()) drawing_.data(values, "using 1:2:3 with labels left offset 0.4,0");
}

void BarDrawing::draw_totals(const std::vector<double>& ends)
{
    std::string values;
    for (std::size_t i = 0; i < ends.size(); ++i)
        values += fmt::format("{:.9g} {} \"{}\"\n", ends[i], row(i) + 1, figure(ends[i]));
    drawing_.data(values, "using 1:2:3 with labels left offset 0.4,0");
}

std::string BarDrawing::script()
{
    constexpr int kAxis = 60; // px, its numbers and name
    const double rows = row(bars_.categories.size());
    std::string text = start(kAxis + kRowHeight * static_cast<int>(rows));
    text += axis('x', range_, bars_.log);
    text += fmt::format("set yrange [{}:-0.5]\nunset ytics\nset xlabel {}\n", rows - 0.3, quoted(bars_.unit));
    for (std::size_t i = 0; i < bars_.categories.size(); ++i)
        text += fmt::format("set label {} at graph 0.01, first {} left front\n", quoted(bars_.categories[i]), row(i));
    std::vector<double> ends(bars_.categories.size(), 0);
    for (std::size_t number = 0; number < bars_.series.size(); ++number) draw(number, ends);
    if (bars_.stacked) draw_totals(ends);
    return text + drawing_.text();
}

bool drawable(const Lines& lines, const std::pair<double, double>& point)
{
    return !lines.log || (point.first > 0 && point.second > 0);
}

// Of x (first) or y (second) over all points.
template <class Coordinate>
Range range_of(const Lines& lines, Coordinate coordinate)
{
    constexpr double kRoom = 1.05;
    double least = 1e15;
    double most = 0;
    for (const LineSeries& series : lines.series)
        for (const auto& point : series.points) {
            if (!drawable(lines, point)) continue;
            least = std::min(least, coordinate(point));
            most = std::max(most, coordinate(point));
        }
    if (most <= 0) return lines.log ? Range{.from = 1, .to = 10} : Range{};
    if (!lines.log) return {.from = 0, .to = most * kRoom};
    const double from = std::pow(10, std::floor(std::log10(least) + 1e-9));
    return {.from = from, .to = std::max(10 * from, std::pow(10, std::ceil(std::log10(most) - 1e-9)))};
}

std::string script_of_lines(const Lines& lines)
{
    constexpr int kHeight = 330;
    std::string text = start(kHeight);
    const Range x = range_of(lines, [](const auto& point) { return point.first; });
    Range y = range_of(lines, [](const auto& point) { return point.second; });
    if (lines.y_most) y.to = std::min(y.to, *lines.y_most);
    text += axis('x', x, lines.log) + axis('y', y, lines.log);
    text += fmt::format("set xlabel {}\nset ylabel {}\n", quoted(lines.x), quoted(lines.y));
    Drawing drawing;
    for (std::size_t number = 0; number < lines.series.size(); ++number) {
        const LineSeries& series = lines.series[number];
        std::string points;
        for (const auto& point : series.points)
            if (drawable(lines, point)) points += fmt::format("{:.9g} {:.9g}\n", point.first, point.second);
        if (points.empty()) continue;
        drawing.data(points, fmt::format("using 1:2 with {} linewidth 2 linecolor '{}'",
                                         series.dashed ? "lines dashtype 2" : "linespoints pointtype 7 pointsize 0.5",
                                         colour(number)));
    }
    return text + drawing.text();
}

} // namespace

const std::string& title_of(const Chart& chart)
{
    return std::visit([](const auto& one) -> const std::string& { return one.title; }, chart);
}

std::vector<LegendEntry> legend_of(const Chart& chart)
{
    std::vector<LegendEntry> entries;
    if (const auto* bars = std::get_if<Bars>(&chart)) {
        for (const BarSeries& series : bars->series)
            entries.push_back({.name = series.name, .colour = colour(entries.size()), .dashed = false});
    } else {
        for (const LineSeries& series : std::get<Lines>(chart).series)
            entries.push_back({.name = series.name, .colour = colour(entries.size()), .dashed = series.dashed});
    }
    if (entries.size() < 2) entries.clear();
    return entries;
}

bool has_data(const Chart& chart)
{
    if (const auto* bars = std::get_if<Bars>(&chart)) return !bars->categories.empty() && !bars->series.empty();
    const auto& lines = std::get<Lines>(chart);
    return std::ranges::any_of(lines.series, [&lines](const LineSeries& series) {
        return std::ranges::any_of(series.points, [&lines](const auto& point) { return drawable(lines, point); });
    });
}

std::string script_of(const Chart& chart)
{
    if (const auto* bars = std::get_if<Bars>(&chart)) return BarDrawing{*bars}.script();
    return script_of_lines(std::get<Lines>(chart));
}

} // namespace penguin::bench::report
