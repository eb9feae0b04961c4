// engine/queue/json_text.h
// Writes one flat JSON object, fields in the order of the calls: the scripts rely on that order (scripts/common.lua,
// id_of). Text that is not UTF-8 is made so (U+FFFD for each octet that does not belong): replies of servers hold
// anything.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace penguin::queue {

void append_json_text(std::string& out, std::string_view text); // quoted

class JsonObject {
public:
    JsonObject& text(std::string_view name, std::string_view value);
    JsonObject& number(std::string_view name, std::int64_t value);
    JsonObject& truth(std::string_view name, bool value);
    JsonObject& json(std::string_view name, std::string_view value); // JSON already
    std::string finish() &&;

private:
    void name(std::string_view name);
    std::string out_{"{"};
};

} // namespace penguin::queue
