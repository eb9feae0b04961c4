#include "control/settings/rules_in_force.h"

#include <stdexcept>

#include <fmt/format.h>

#include "engine/base/log.h"

namespace penguin::control {

namespace {

constexpr std::string_view kStoredName = "rules"; // in problems: "rules:12: gmail-4.7.28: codes: ..."

std::shared_ptr<const policy::RuleBook> book_of(const policy::RuleFile& layers)
{
    policy::RuleBook::Made made = policy::RuleBook::make(layers, kStoredName);
    if (!made) throw std::invalid_argument{policy::text_of(made.error().front())};
    return std::move(*made);
}

} // namespace

RulesInForce::RulesInForce(policy::RuleFile layers, Registry& metrics)
    : layers_{std::move(layers)},
      book_{book_of(layers_)},
      version_{metrics.gauge("penguin_rules_version", "Stored version of reply rules that is in force here; 0: none")},
      refused_version_{
          metrics.gauge("penguin_rules_refused_version",
                        "Newest stored version of reply rules, when it cannot be used here; 0: all is well")}
{
}

bool RulesInForce::apply(StoredRules version)
{
    if (seen().same_version(version)) return false;
    if (stored_.same_version(version)) { // a newer one that was refused here is gone
        refused_.reset();
        refused_version_.set(0);
        return false;
    }
    policy::RuleBook::Made made = over_layers(version.text);
    if (!made) {
        refused_ = Refused{{version.number, version.created, ""}, policy::text_of(made.error().front())};
        refused_version_.set(version.number);
        log::error("settings", "rules_refused",
                   {{"version", version.number}, {"in_force", stored_.number}, {"why", refused_->why}});
        return false;
    }
    book_ = std::move(*made);
    stored_ = std::move(version);
    refused_.reset();
    refused_version_.set(0);
    version_.set(stored_.number);
    log::info("settings", "rules_in_force", {{"version", stored_.number}, {"rules", book_->rules().size()}});
    return true;
}

std::string RulesInForce::trouble() const
{
    if (!refused_) return "";
    return fmt::format("version {} cannot be used here, {} stays in force: {}", refused_->version.number,
                       stored_.number, refused_->why);
}

policy::RuleBook::Made RulesInForce::over_layers(std::string_view text) const
{
    auto whole = policy::layer_over(layers_, text, kStoredName, policy::RuleOrigin::stored);
    if (!whole) return std::unexpected{std::move(whole.error())};
    return policy::RuleBook::make(std::move(*whole), kStoredName);
}

} // namespace penguin::control
