// engine/delivery/settings.h
// Everything the engine must know of tenants and limits: one immutable snapshot, made by control, swapped whole.
// The engine goes on with its last one while PostgreSQL is away.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "engine/base/uuid.h"
#include "engine/mail/domain_name.h"
#include "engine/mail/email_address.h"
#include "engine/policy/pauses.h"
#include "engine/policy/rule_book.h"
#include "engine/policy/sending_window.h"
#include "engine/policy/warmup/lane.h"
#include "engine/queue/tenant_limits.h"

namespace penguin::delivery {

struct SourceSettings {
    SourceId id;
    boost::asio::ip::address address;
    DomainName ehlo_name;
    PoolName pool;
};

struct TenantSettings {
    double weight = 1;
    bool suspended = false;
    PoolName pool{"default"};
    queue::TenantLimits limits{}; // Redis keeps to them at claim
};

struct SendingDomain {
    TenantId tenant;
    DomainName name;
    DomainName bounce_host; // where its return paths live
    bool verified = false;
};

struct LaneLimits {
    std::size_t connections = 10;      // a lane
    std::size_t site_connections = 50; // a site over all sources of the node
    std::size_t messages_per_connection = 100;
    std::chrono::seconds idle{5}; // keep-alive of a connection without work
};

enum class CampaignState : std::uint8_t { paused, cancelled }; // of one that is active nothing is said

// `limits`, and no more than the provider takes of one source. `provider` null: nobody known.
LaneLimits narrowed(LaneLimits limits, const policy::Provider* provider);

// Addresses that must get no mail: of one tenant, or of all. Kept as 64-bit hashes of the folded address: with a
// million of them, one address in 10^13 is wrongly taken for suppressed; none is ever missed.
class Suppressions {
public:
    void add(const TenantId& tenant, const EmailAddress& address);
    void add_global(const EmailAddress& address);
    bool covers(const TenantId& tenant, const EmailAddress& address) const;
    std::size_t size() const { return hashes_.size(); }

private:
    std::unordered_set<std::uint64_t> hashes_;
};

// A source under a warm-up plan, at the providers that have a share of it; what no share names is "other".
using WarmupShares = std::map<std::string, policy::WarmupRule, std::less<>>;

struct Settings {
    std::uint64_t version = 0;
    bool from_disk = false;              // what another process of this node kept: it may lack what changed since
    std::vector<SourceSettings> sources; // of this node
    std::unordered_map<TenantId, TenantSettings> tenants;
    std::unordered_map<DomainName, SendingDomain> domains;
    std::map<CampaignKey, CampaignState> campaigns;
    std::map<SourceId, WarmupShares> warmups;             // of sources under a plan; no other has a cap
    std::map<CampaignKey, policy::SendingWindow> windows; // of campaigns that have one
    std::shared_ptr<const Suppressions> suppressions = std::make_shared<const Suppressions>();
    LaneLimits limits;
    std::shared_ptr<const policy::RuleBook> rules = policy::shipped_rules();
    // What rules have paused on any node and persons have resumed.
    std::shared_ptr<const std::vector<policy::SharedPause>> pauses =
        std::make_shared<const std::vector<policy::SharedPause>>();

    // Nothing: nobody stopped it.
    std::optional<CampaignState> stopped(const TenantId& tenant, const std::optional<CampaignId>& campaign) const;
    // When the campaign's mail to this recipient may go, from `at` on. `vars`: theirs (engine/mail/recipient_zone.h).
    WallTime opens(const TenantId& tenant, const std::optional<CampaignId>& campaign, std::string_view vars,
                   WallTime at) const;
};

} // namespace penguin::delivery
