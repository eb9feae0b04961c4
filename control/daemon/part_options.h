// control/daemon/part_options.h
// What the file says, as each part of the daemon wants it. No decision is made here but where an empty value stands for
// something: the host name, the number of cores, the embedded stores.
#pragma once

#include "control/daemon/config.h"
#include "control/daemon/state_dir.h"
#include "control/db/database.h"
#include "control/http/server.h"
#include "dkim/signer.h"
#include "engine/base/log.h"
#include "engine/delivery/engine.h"

namespace penguin::control {

// The node's name. Errors: bad_value (the host name cannot be one: give node.name).
Result<NodeName> node_name(const NodeConfig& node);

log::Options log_options(const LogConfig& log);
queue::RedisConnection::Options redis_options(const RedisConfig& redis, const StateDir& dir);
queue::SendQueue::Options queue_options(const Config& config, const NodeName& node, std::string incarnation);
dns::CaresResolver::Options resolver_options(const DnsConfig& dns);
// Public addresses that are not this machine's, and what `allowed` names (networks, as the file's rules have let through).
dns::TargetRule target_rule(const std::vector<std::string>& allowed);
delivery::EngineOptions engine_options(const Config& config, const NodeName& node, const StateDir& dir,
                                       std::string incarnation, bool crashed_before);
http::ServerLimits server_limits(const HttpConfig& http);
dkim::SignerOptions signer_options(const DkimConfig& dkim);

enum class DatabaseRole : std::uint8_t { api, worker, owner };
// Connection strings of all tiers. An embedded PostgreSQL lets us be any role.
db::TierDsns tier_dsns(const DatabaseConfig& database, const StateDir& dir, DatabaseRole role);
db::PoolOptions pool_options(const DatabaseConfig& database);

} // namespace penguin::control
