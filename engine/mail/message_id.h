// engine/mail/message_id.h
// Names one message: the batch it came in and its place there. Text form "<batch uuid>.<index>".
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/uuid.h"

namespace penguin {

struct MessageId {
    static constexpr std::uint32_t kIndexMax = 9'999; // messages a batch, minus one

    BatchId batch;
    std::uint32_t index = 0;

    std::string text() const { return batch.value().text() + "." + std::to_string(index); }

    // Errors: malformed.
    static Result<MessageId> parse(std::string_view text)
    {
        const auto malformed = fail(Errc::malformed, "not a message id of the form <uuid>.<index>");
        if (text.size() < 38 || text[36] != '.') return malformed;
        const Result<Uuid> batch = Uuid::parse(text.substr(0, 36));
        if (!batch) return malformed;
        const std::string_view digits = text.substr(37);
        if (digits.size() > 1 && digits.front() == '0') return malformed;
        std::uint32_t index = 0;
        const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
        if (code != std::errc{} || end != digits.data() + digits.size() || index > kIndexMax) return malformed;
        return MessageId{BatchId{*batch}, index};
    }

    friend auto operator<=>(const MessageId&, const MessageId&) = default;
};

} // namespace penguin

template <>
struct std::hash<penguin::MessageId> {
    std::size_t operator()(const penguin::MessageId& id) const noexcept
    {
        return std::hash<penguin::BatchId>{}(id.batch) ^ (std::size_t{id.index} * 0x9E3779B1U);
    }
};
