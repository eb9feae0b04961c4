// control/db/compression.h
// zlib, level 1: what we keep as bytea is compressed by us, which costs the database a third of what its own does.
//   errors   malformed (not zlib, or damaged), too_long (more than `max` octets come out)
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::control::db {

std::string compress(std::string_view octets);
Result<std::string> decompress(std::string_view compressed, std::size_t max);

} // namespace penguin::control::db
