#include "bench/micro/octets.h"
#include "engine/mail/content.h"

namespace penguin::bench::micro {

namespace {

// Text, HTML and, when asked, a file: together about `size` octets.
TemplateContent letter(std::size_t size, bool attachment)
{
    const std::string text = body_of(size / 2);
    TemplateContent content{
        .from = {.name = "Sales of Example", .address = EmailAddress::parse("sales@example.com").value()},
        .subject = "A question, {{first_name}}",
        .text = "Dear {{first_name}},\n" + (attachment ? text.substr(0, size / 10) : text),
        .html = "<p>Dear {{first_name}},</p>\n" + (attachment ? text.substr(0, size / 10) : text)};
    if (attachment)
        content.attachments.push_back(
            {.file_name = "offer.pdf", .content_type = "application/pdf", .data = std::string(size / 2, '\x25')});
    return content;
}

void compile(benchmark::State& state, bool attachment)
{
    const TemplateContent content = letter(static_cast<std::size_t>(state.range(0)), attachment);
    for (auto step : state) benchmark::DoNotOptimize(CompiledContent::compile(content));
}

void render(benchmark::State& state, bool attachment)
{
    const auto content = CompiledContent::compile(letter(static_cast<std::size_t>(state.range(0)), attachment)).value();
    const RenderRequest request{.id = {.batch = BatchId{Uuid::v7(wall_now())}, .index = 17},
                                .to = EmailAddress::parse("ann.other@customer-17.example").value(),
                                .vars = R"({"first_name":"Ann","name":"Ann Other"})",
                                .now = wall_now()};
    std::size_t octets = 0;
    for (auto step : state) {
        const Result<std::string> message = content->render(request);
        octets = message.value().size();
    }
    stands_beside_copy(state, octets);
}

BENCHMARK_CAPTURE(compile, alternative, false)->Name("mime/build_text_and_html")->Arg(10'240);
BENCHMARK_CAPTURE(compile, attachment, true)->Name("mime/build_with_attachment")->Arg(10'240);
BENCHMARK_CAPTURE(render, alternative, false)->Name("mime/render_text_and_html")->Apply(all_sizes);
BENCHMARK_CAPTURE(render, attachment, true)->Name("mime/render_with_attachment")->Apply(all_sizes);

} // namespace

} // namespace penguin::bench::micro
