// bench/report/wording.h
// Figures and names as a reader meets them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/report/figures_file.h"

namespace penguin::bench::report {

std::string grouped(double value);                 // "4,344"
std::string figure(double value);                  // three digits or more: "4,344", "93.1", "0.42"
std::string volume(double messages);               // "100 million", "250,000"
std::string spaced(std::string_view name);         // "queue_depth" -> "queue depth"
std::string component_name(std::string_view name); // "redis" -> "Redis (queue)"
std::string mta_name(std::string_view name);       // "ours" -> "penguin-mta"
std::string limit_words(std::string_view limit);   // of a verb's results.limit
std::string need_words(std::string_view limit);    // of a limit in a plan
std::string signing_words(std::string_view dkim);  // "none" -> "unsigned"
std::string file_stem(const FiguresFile& file);

// What kind of mail a drain or a flow sent, from its options; with the file's name where two would read alike.
std::vector<std::string> mail_labels(const std::vector<const FiguresFile*>& files);

// What XML allows no character for becomes U+FFFD.
std::string allowed(std::string_view utf8);
// The same as text of an element or of an attribute in double quotes.
std::string escaped(std::string_view utf8);

} // namespace penguin::bench::report
