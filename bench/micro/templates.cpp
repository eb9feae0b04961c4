#include "bench/micro/octets.h"
#include "engine/mail/template.h"

namespace penguin::bench::micro {

namespace {

constexpr std::string_view kLetter =
    "<p>Dear {{first_name}} {{last_name}},</p>\n"
    "<p>I saw that {{company}} is hiring in {{city}}. {{#customer}}Thank you for being our customer since {{since}}."
    "{{/customer}}{{^customer}}We have not met yet.{{/customer}}</p>\n"
    "<ul>{{#offers}}<li>{{name}}: {{price}}</li>\n{{/offers}}</ul>\n"
    "<p>Would {{day}} at {{time}} suit you?</p>\n<p>{{{signature}}}</p>\n";

boost::json::object variables()
{
    return {{"first_name", "Ann"},
            {"last_name", "O'Ther & Daughters"},
            {"company", "Customer 17 Ltd"},
            {"city", "Berlin"},
            {"customer", {{"since", 2019}}},
            {"offers", {{{"name", "Small"}, {"price", "10"}}, {{"name", "Large"}, {"price", "90"}}}},
            {"day", "Tuesday"},
            {"time", "10:30"},
            {"signature", "<b>Bob</b>, Example"}};
}

void compile(benchmark::State& state)
{
    for (auto step : state) benchmark::DoNotOptimize(Template::compile(kLetter, Escape::html));
    stands_beside_copy(state, kLetter.size());
}

void render(benchmark::State& state, Escape escape)
{
    constexpr std::size_t kRoom = 1'000'000;
    const Template letter = Template::compile(kLetter, escape).value();
    const boost::json::object values = variables();
    const boost::json::object* const scopes[] = {&values};
    std::string out;
    for (auto step : state) {
        out.clear();
        benchmark::DoNotOptimize(letter.render(scopes, true, kRoom, out));
    }
    stands_beside_copy(state, out.size());
}

BENCHMARK(compile)->Name("template/compile");
BENCHMARK_CAPTURE(render, plain, Escape::none)->Name("template/render_text");
BENCHMARK_CAPTURE(render, html, Escape::html)->Name("template/render_html");

} // namespace

} // namespace penguin::bench::micro
