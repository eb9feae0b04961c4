// The settings that a node keeps on disk: a file that was cut is refused whole, what is taken we write in one form, and rows that
// make no sense are left out. A list of suppressions that was cut loses its last line alone. The first octets say where it is cut.
#include "control/settings/snapshot_file.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    const std::size_t place = data[0] * 256U + data[1];
    const std::string_view text{reinterpret_cast<const char*>(data) + 2, size - 2};

    delivery::Suppressions all;
    add_suppression_lines(text, all);
    delivery::Suppressions cut;
    const std::string_view front = text.substr(0, text.empty() ? 0 : place % text.size());
    add_suppression_lines(front, cut);
    delivery::Suppressions whole_lines;
    const std::size_t last = front.rfind('\n');
    add_suppression_lines(last == std::string_view::npos ? "" : front.substr(0, last + 1), whole_lines);
    check(cut.size() == whole_lines.size() && cut.size() <= all.size());

    const Result<SettingsFile> file = parse_settings_file(text);
    if (!file) return 0;
    const std::string json = to_json(*file);
    const Result<SettingsFile> again = parse_settings_file(json);
    check(again.has_value() && to_json(*again) == json);
    check(!parse_settings_file(std::string_view{json}.substr(0, place % json.size())));
    const delivery::Settings settings = settings_of(*file);
    check(settings.tenants.size() <= file->tenants.size() && settings.domains.size() <= file->domains.size());
    check(settings.sources.size() <= file->sources.size() && keys_of(*file).size() <= file->keys.size());
    return 0;
}
