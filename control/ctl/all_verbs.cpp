#include <algorithm>
#include <array>
#include <iterator>

#include "control/ctl/verb.h"

namespace penguin::control::ctl {

std::vector<Verb> all_verbs()
{
    static constexpr std::array kResources{tenant_verbs, pool_verbs,        source_verbs, warmup_verbs,   signal_verbs,
                                           domain_verbs, api_key_verbs,     batch_verbs,  campaign_verbs, message_verbs,
                                           event_verbs,  suppression_verbs, queue_verbs,  rule_verbs,     pause_verbs,
                                           audit_verbs,  health_verbs};
    std::vector<Verb> all;
    for (const auto verbs_of : kResources) {
        std::vector<Verb> some = verbs_of();
        std::ranges::move(some, std::back_inserter(all));
    }
    for (Verb& verb : all) {
        if (!verb.paged) continue;
        verb.params.push_back(page_limit());
        verb.params.push_back(page_cursor());
    }
    return all;
}

const Verb* find_verb(std::span<const Verb> verbs, std::string_view resource, std::string_view name)
{
    const auto found =
        std::ranges::find_if(verbs, [&](const Verb& verb) { return verb.resource == resource && verb.name == name; });
    return found == verbs.end() ? nullptr : &*found;
}

} // namespace penguin::control::ctl
