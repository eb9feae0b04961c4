// control/settings/rules_in_force.h
// The reply rules and provider profiles that this node works with: the shipped ones, over them the operator's file, over both
// the version that PostgreSQL holds.
//
//   in       the two layers of this node, once; then a version each time the snapshot finds another one
//   out      the book in force and the version it is made of; what is wrong with a newer one that cannot be used here
//   faults   a version that cannot be read or compiled over this node's layers (another program, another file) is refused whole:
//            the one before stays in force. penguin_rules_refused_version, a line in the log, /readyz
//   threads  belongs to the control executor; `over_layers` any
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/policy/rule_book.h"

namespace penguin::control {

struct StoredRules {
    std::int64_t number = 0; // 0: nobody has stored any
    WallTime created{};
    std::string text; // TOML
    // Numbers begin anew in a database that was restored; times do not.
    bool same_version(const StoredRules& other) const { return number == other.number && created == other.created; }
};

class RulesInForce {
public:
    // Throws std::invalid_argument when `layers` make no book: whoever made them has checked that.
    RulesInForce(policy::RuleFile layers, Registry& metrics);

    // Takes a version into force. False: it is refused, or there already.
    bool apply(StoredRules version);

    const std::shared_ptr<const policy::RuleBook>& book() const { return book_; }
    const StoredRules& stored() const { return stored_; }
    struct Refused {
        StoredRules version; // without its text
        std::string why;
    };
    const std::optional<Refused>& refused() const { return refused_; }
    // The version that was looked at last, in force or refused.
    const StoredRules& seen() const { return refused_ ? refused_->version : stored_; }
    // "": all is well.
    std::string trouble() const;

    // What the text of a version would make here.
    policy::RuleBook::Made over_layers(std::string_view text) const;

private:
    const policy::RuleFile layers_;
    std::shared_ptr<const policy::RuleBook> book_;
    StoredRules stored_;
    std::optional<Refused> refused_;
    Gauge& version_;
    Gauge& refused_version_;
};

} // namespace penguin::control
