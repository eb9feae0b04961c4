// bench/report/page.h
// Headline and sections -> one page, HTML that is XML too: no scripts, nothing from outside. Does no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/report/headline.h"
#include "bench/report/section.h"

namespace penguin::bench::report {

// `pictures`: an SVG element for each chart of all sections, in their order.
std::string page_of(const Headline& headline, const std::vector<Section>& sections,
                    const std::vector<std::string>& pictures);

} // namespace penguin::bench::report
