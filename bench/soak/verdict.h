// What a soak says of its samples: a slope for each thing that may leak, and what is alarming. Pure.
//
//   warm-up  kWarmUp of the time is left out: caches fill, the allocator finds its size
//   alarms   resident memory of the daemon: the 95 % bound of its slope is kMemoryMost of the mean an hour, or more;
//            its descriptors: surely (95 %) more than kDescriptorsMost over the run;
//            Redis' data: surely more than kDatasetMost MB over the run, or not back within that when all is drained;
//            PostgreSQL: octets a message in the second half more than kStorageMost times those in the first
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace penguin::bench {

inline constexpr double kWarmUp = 0.2;
inline constexpr double kMemoryMost = 0.02;
inline constexpr double kDescriptorsMost = 2;
inline constexpr double kDatasetMost = 2; // MB
inline constexpr double kStorageMost = 1.5;

struct SoakSample {
    double seconds = 0;     // since the start
    double delivered = 0;   // messages at the sinks
    double daemon_mb = 0;   // resident, without its stores
    double descriptors = 0; // of the daemon
    double redis_mb = 0;    // used_memory
    double dataset_mb = 0;  // used_memory_dataset of Redis
    double postgres_mb = 0; // files of the databases, without the log
};

struct SoakEnd {
    double dataset_before_mb = 0; // idle, before the load
    double dataset_after_mb = 0;  // when all is drained
};

struct SoakVerdict {
    boost::json::object slopes; // name -> {mean, per_hour, low, high}, or null when the run was too short
    double postgres_octets_per_message = 0;
    std::vector<std::string> alarms; // sentences; empty: all is well
};
SoakVerdict judge(const std::vector<SoakSample>& samples, const SoakEnd& end);

boost::json::object to_json(const SoakSample& sample);

} // namespace penguin::bench
