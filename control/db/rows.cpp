#include "control/db/rows.h"

#include <charconv>
#include <stdexcept>

#include <libpq-fe.h>

namespace penguin::control::db {

namespace {

[[noreturn]] void bug(std::string_view what, std::string_view text)
{
    // The value may be somebody's data: its length must do.
    throw std::logic_error{"database column is not " + std::string{what} + " (" + std::to_string(text.size()) +
                           " octets)"};
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// "2026-11-24 04:29:07.123456+00" as RFC 3339 has it. The offset is whatever the session's time zone is.
std::string rfc3339_of(std::string_view text)
{
    std::string out{text};
    if (out.size() > 10) out[10] = 'T';
    const std::size_t sign = out.find_first_of("+-", 11);
    if (sign != std::string::npos && out.size() - sign == 3) out += ":00";
    return out;
}

} // namespace

std::optional<std::string_view> Row::text_if(std::string_view column) const
{
    const int number = PQfnumber(result_, std::string{column}.c_str());
    if (number < 0) throw std::logic_error{"no database column " + std::string{column}};
    if (PQgetisnull(result_, index_, number) == 1) return std::nullopt;
    return std::string_view{PQgetvalue(result_, index_, number),
                            static_cast<std::size_t>(PQgetlength(result_, index_, number))};
}

std::string_view Row::text(std::string_view column) const
{
    const std::optional<std::string_view> text = text_if(column);
    if (!text) throw std::logic_error{"database column " + std::string{column} + " is null"};
    return *text;
}

void Row::read(std::string_view text, bool& value)
{
    if (text != "t" && text != "f") bug("a truth value", text);
    value = text == "t";
}

void Row::read(std::string_view text, double& value)
{
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) bug("a number", text);
}

void Row::read(std::string_view text, long long& value)
{
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) bug("a whole number", text);
}

void Row::read(std::string_view text, Uuid& value)
{
    const Result<Uuid> parsed = Uuid::parse(text);
    if (!parsed) bug("a uuid", text);
    value = *parsed;
}

void Row::read(std::string_view text, WallTime& value)
{
    const Result<WallTime> parsed = parse_rfc3339(rfc3339_of(text));
    if (!parsed) bug("a time", text);
    value = *parsed;
}

void Row::read(std::string_view text, Bytes& value)
{
    if (!text.starts_with("\\x") || text.size() % 2 != 0) bug("octets", text);
    value.value.clear();
    value.value.reserve(text.size() / 2 - 1);
    for (std::size_t at = 2; at < text.size(); at += 2) {
        const int high = hex_digit(text[at]);
        const int low = hex_digit(text[at + 1]);
        if (high < 0 || low < 0) bug("octets", text);
        value.value += static_cast<char>(high * 16 + low);
    }
}

// One dimension, as array_out of PostgreSQL writes it.
void Row::read(std::string_view text, std::vector<std::string>& value)
{
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') bug("an array", text);
    value.clear();
    const std::string_view inner = text.substr(1, text.size() - 2);
    for (std::size_t at = 0; at < inner.size(); ++at) {
        std::string element;
        if (inner[at] == '"') {
            for (++at; at < inner.size() && inner[at] != '"'; ++at) {
                if (inner[at] == '\\') ++at;
                if (at < inner.size()) element += inner[at];
            }
            ++at;
        } else {
            while (at < inner.size() && inner[at] != ',') element += inner[at++];
        }
        if (at < inner.size() && inner[at] != ',') bug("an array of text", text);
        value.push_back(std::move(element));
    }
}

Rows::Rows(std::shared_ptr<pg_result> result) : result_{std::move(result)}, count_{PQntuples(result_.get())} {}

Row Rows::operator[](std::size_t index) const
{
    if (index >= size()) throw std::logic_error{"no such database row"};
    return Row{result_.get(), static_cast<int>(index)};
}

std::size_t Rows::affected() const
{
    if (!result_) return 0;
    const std::string_view text = PQcmdTuples(result_.get());
    std::size_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

std::string_view Rows::command() const { return result_ ? PQcmdStatus(result_.get()) : ""; }

} // namespace penguin::control::db
