// The files of postfix/ as they are, {names} not filled in.
#pragma once

namespace penguin::bench::settings {

extern const char* const kMainCf;
extern const char* const kMasterCf;
extern const char* const kOpendkimConf;

} // namespace penguin::bench::settings
