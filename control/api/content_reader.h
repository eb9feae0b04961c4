// control/api/content_reader.h
// The parts of JSON that POST /v1/batches and /api/inject/v1 share.
#pragma once

#include "control/api/answers.h"
#include "control/submit/acceptance.h"
#include "engine/mail/content.h"

namespace penguin::control::api {

inline constexpr std::size_t kNameMax = 500; // octets of a display name
inline constexpr http::TextRule kContentText{.min = 0, .max = kContentMax};

// {"email", "name"}. Nothing when it is wrong.
std::optional<NamedAddress> read_named_address(ObjectReader& body, std::string_view field, bool required);
// {"X-Field": "value"} in the order given.
std::vector<std::pair<std::string, std::string>> read_headers(ObjectReader& body, std::string_view field);
// A flat object of strings, numbers, booleans and nulls; a null is no value.
json::object read_flat(ObjectReader& body, std::string_view field);
// As its JSON text; "" when there are none.
std::string variables_text(const json::object& variables);
// A string stays, a number or boolean becomes its JSON text.
std::string plain_text(const json::value& value);
// The base64 of `field`, decoded.
std::string read_base64(ObjectReader& body, std::string_view field, std::size_t octets_max);

// Why a whole batch was refused, as the client gets it. `content_field`: where the content stands in the body.
Problem problem_of(const submit::BatchRefused& refused, std::string_view content_field);

} // namespace penguin::control::api
