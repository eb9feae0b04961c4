// Events as the ledger weighs them, one a line: each is kept or dropped, counts are of those kept, and told twice is told once.
// And what PostgreSQL is given of them is text that it takes.
#include "control/ledger/event_batch.h"
#include "engine/base/utf8.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

namespace {

int sum(const ledger::EventBatch& batch)
{
    int all = 0;
    for (const auto& [key, counts] : batch.counts)
        all +=
            counts.delivered + counts.bounced + counts.expired + counts.suppressed + counts.cancelled + counts.deferred;
    return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text{reinterpret_cast<const char*>(data), size};
    const std::string clean = ledger::clean_text(text);
    check(is_clean_text(clean) && ledger::clean_text(clean) == clean && (!is_clean_text(text) || clean == text));
    std::vector<queue::Event> events;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (const auto event = queue::Event::parse(line)) events.push_back(*event);
    }
    const ledger::EventBatch batch = ledger::weigh(events, {}, WallTime{});
    check(batch.kept.size() + batch.dropped == events.size());
    for (const db::Params::Param& param : ledger::event_params(batch.kept, WallTime{}).all())
        check(param.binary || !param.value || is_clean_text(*param.value));

    std::vector<queue::Event> twice = events;
    twice.insert(twice.end(), events.begin(), events.end());
    static_cast<void>(sum(ledger::weigh(twice, {}, WallTime{})));
    return 0;
}
