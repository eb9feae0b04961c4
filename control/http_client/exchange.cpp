#include "control/http_client/exchange.h"

#include <algorithm>
#include <array>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

namespace penguin::control::http_client {

namespace {

namespace beast = boost::beast;
using Parser = beast::http::response_parser<beast::http::string_body>;

bool is_one_line(std::string_view text)
{
    return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

Error fault_of(const error_code& code)
{
    if (code == beast::http::error::body_limit) return {Errc::full, "the answer is too large"};
    if (code == beast::http::error::header_limit) return {Errc::malformed, "the head of the answer is too large"};
    return {Errc::malformed, "the answer is not one of HTTP"};
}

// Reads until the parser has a whole answer.
awaitable<Result<>> read_into(Parser& parser, net::ByteStream& stream, SteadyTime deadline)
{
    std::array<char, 4'096> octets{};
    std::string pending; // what the parser has not taken yet
    while (!parser.is_done()) {
        const Result<std::size_t> count = co_await stream.read_some(octets, deadline);
        error_code code;
        if (count) {
            pending.append(octets.data(), *count);
            pending.erase(0, parser.put(boost::asio::buffer(pending), code));
        } else if (count.error().code == Errc::closed) {
            parser.put_eof(code);
            if (!code && !parser.is_done()) code = beast::http::error::partial_message;
        } else {
            co_return std::unexpected{count.error()};
        }
        if (code && code != beast::http::error::need_more) co_return std::unexpected{fault_of(code)};
    }
    co_return Result<>{};
}

Answer answer_of(Parser& parser)
{
    Answer answer{.status = parser.get().result_int(), .fields = {}, .body = std::move(parser.get().body())};
    for (const auto& field : parser.get()) answer.fields.emplace_back(field.name_string(), field.value());
    return answer;
}

} // namespace

std::optional<std::string_view> Answer::field(std::string_view name) const
{
    for (const auto& [known, value] : fields)
        if (beast::iequals(beast::string_view{known.data(), known.size()},
                           beast::string_view{name.data(), name.size()}))
            return value;
    return std::nullopt;
}

Result<std::string> text_of(const Request& request)
{
    if (!is_one_line(request.target) || request.target.find_first_of(" \t") != std::string::npos)
        return fail(Errc::bad_value, "the target of a request is one word");
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, request.host);
    for (const auto& [name, value] : request.fields) {
        if (!is_one_line(value)) return fail(Errc::bad_value, name + ": a control character is in it");
        head += fmt::format("{}: {}\r\n", name, value);
    }
    // RFC 9110 8.6: a method that defines a meaning for content says its length even when there is none.
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH")
        head += fmt::format("Content-Length: {}\r\n", request.body.size());
    return head + "Connection: close\r\n\r\n" + request.body;
}

awaitable<Result<Answer>> exchange(net::ByteStream& stream, Request request, AnswerBounds bounds, SteadyTime deadline)
{
    const Result<std::string> text = text_of(request);
    if (!text) co_return std::unexpected{text.error()};
    const std::array<std::string_view, 1> pieces{*text};
    const Result<> written = co_await stream.write(pieces, deadline);
    // A server may refuse and close while we still send (RFC 9112 9.5): then its answer says more than our failure to write.
    if (!written && written.error().code != Errc::closed) co_return std::unexpected{written.error()};
    Parser parser;
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(bounds.head_max));
    parser.body_limit(bounds.body_max);
    const Result<> read = co_await read_into(parser, stream, deadline);
    if (!read) co_return std::unexpected{written ? read.error() : written.error()};
    co_return answer_of(parser);
}

} // namespace penguin::control::http_client
