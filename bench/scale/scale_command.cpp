#include "bench/scale/scale_command.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "bench/drain/drain_command.h"
#include "bench/harness/report.h"
#include "bench/harness/verb.h"
#include "bench/scale/scale.h"

namespace penguin::bench {

namespace {

constexpr std::size_t kValueMax = 10'000'000;
constexpr unsigned kTimeoutS = 3'600;
constexpr std::size_t kSourcesMost = 200; // that usually grow to: each has its connection to each site
constexpr std::size_t kRedisMb = 4'096; // a million messages are over the 80 % of the usual 512 MB where Redis refuses

struct Words {
    ScaleOptions scale;
    VerbWords verb;
};

double number_at(const json::object& object, std::string_view name) { return object.at(name).to_number<double>(); }

std::string text_of(const json::value& exponent)
{
    return exponent.is_null() ? "of one point there is none" : fmt::format("{:.3f}", exponent.to_number<double>());
}

// A column of the points' numbers at `field`, below `object` when that is not empty.
Column column_of(const std::string& title, const json::array& points, std::string_view object, std::string_view field,
                 const char* format)
{
    Column column{.title = title, .cells = {}};
    for (const json::value& point : points) {
        const json::object& place = object.empty() ? point.as_object() : point.at(object).as_object();
        column.cells.push_back(fmt::format(fmt::runtime(format), number_at(place, field)));
    }
    return column;
}

std::string table_of_axis(const json::object& axis)
{
    const json::array& points = axis.at("points").as_array();
    std::vector<Column> columns{
        column_of(std::string{axis.at("axis").as_string()}, points, "", "value", "{:.0f}"),
        column_of("messages", points, "", "messages", "{:.0f}"),
        column_of("us CPU/message", points, "", "cpu_us_per_message", "{:.1f}"),
    };
    for (const auto& [name, value] : points.front().at("by_component").as_object())
        columns.push_back(column_of(std::string{name}, points, "by_component", name, "{:.1f}"));
    columns.push_back(column_of("messages/s", points, "", "messages_per_second", "{:.0f}"));
    columns.push_back(column_of("daemon MB", points, "", "rss_mb", "{:.0f}"));
    columns.push_back(column_of("redis MB", points, "", "redis_mb", "{:.0f}"));
    columns.push_back(column_of("octets/queued", points, "", "redis_octets_per_message", "{:.0f}"));
    return table(columns) + fmt::format("exponent of the cost: {}\n\n", text_of(axis.at("exponent")));
}

std::string table_of(const json::object& results)
{
    std::string text;
    for (const json::value& axis : results.at("axes").as_array()) text += table_of_axis(axis.as_object());
    return text;
}

std::string line_of(const json::object& run)
{
    std::string text = "exponents:";
    for (const json::value& axis : run.at("axes").as_array())
        text += fmt::format(" {} {}", std::string{axis.at("axis").as_string()}, text_of(axis.at("exponent")));
    return text;
}

void say_point(const std::string& axis, const json::object& point)
{
    std::printf("%s\n",
                fmt::format("  {} {:.0f}: {:.1f} us CPU/message, daemon {:.0f} MB", axis, number_at(point, "value"),
                            number_at(point, "cpu_us_per_message"), number_at(point, "rss_mb"))
                    .c_str());
    std::fflush(stdout);
}

int run(Words words)
{
    WorldOptions& world = words.scale.mail.world;
    world.daemon = words.verb.daemon_program();
    world.work = words.verb.work;
    world.warm = true;
    world.redis_mb = kRedisMb;
    world.backlog_max = kBacklogMost;
    words.scale.on_point = say_point;
    return run_verb({.name = "scale",
                     .options = to_json(words.scale),
                     .once = [&](Patience& patience) { return scale_once(patience, words.scale); },
                     .results = scale_results,
                     .table = [](const json::value& results) { return table_of(results.as_object()); },
                     .line = line_of},
                    words.verb);
}

// What no option alone can say.
void check(const ScaleOptions& scale)
{
    if (scale.values.empty()) return;
    if (scale.axes.size() != 1) throw CLI::ValidationError("--values", "goes with one --axis");
    const std::string& axis = scale.axes.front();
    const std::size_t most = axis == "queued" ? kValueMax : axis == "domains" ? 1'000'000 : 10'000;
    if (std::ranges::max(scale.values) > most)
        throw CLI::ValidationError("--values", fmt::format("of {}: at most {}", axis, most));
}

} // namespace

void add_scale_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    ScaleOptions& scale = words->scale;
    scale.axes = scale_axes();
    scale.mail.size = 2'048;
    scale.mail.messages = 50'000;
    scale.mail.world.connections = 1;
    scale.mail.world.messages_per_connection = kMessagesALane;
    scale.mail.world.site_connections = kSourcesMost;
    words->verb.runs = 1;
    words->verb.timeout_s = kTimeoutS;
    CLI::App* command = app.add_subcommand("scale", "Measure what a message costs while one thing grows");
    command->add_option("--axis", scale.axes, "What grows: queued, tenants, domains, sources")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::IsMember(scale_axes()));
    command->add_option("--values", scale.values, "Of the one axis")
        ->delimiter(',')
        ->check(CLI::Range(std::size_t{1}, kValueMax));
    command->add_option("--messages", scale.mail.messages, "Of a point, at least; of queued they are the value")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000'000));
    add_mail_options(*command, scale.mail);
    command
        ->add_option("--site-connections", scale.mail.world.site_connections, "At most, from all sources to one site")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    add_common_options(*command, words->verb);
    command->callback([words, &status] {
        check(words->scale);
        status = run(*words);
    });
}

} // namespace penguin::bench
