// engine/delivery/subject_of.h
// What of a job a pause may be about. Pure.
#pragma once

#include "engine/delivery/job.h"
#include "engine/policy/pauses.h"

namespace penguin::delivery {

// "192.0.2.0/24", "2001:db8:0:1::/64": the sources that others take for one.
std::string netblock_of(const boost::asio::ip::address& address);

// By the best host of the route; "": nobody known.
std::string_view provider_of(const dns::Route& route, const policy::RuleBook& rules);

// Of a job that has a route and a source; it and the book outlive what is returned.
policy::Subject subject_of(const Job& job, const policy::RuleBook& rules);

} // namespace penguin::delivery
