#include "engine/smtp/capabilities.h"

#include <charconv>
#include <string_view>

namespace penguin::smtp {

namespace {

std::string_view take_keyword(std::string_view& line)
{
    while (line.starts_with(' ')) line.remove_prefix(1);
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end);
    return word;
}

std::string upper(std::string_view word)
{
    std::string out{word};
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return out;
}

void read_size(std::string_view parameter, Capabilities& out)
{
    out.size = true;
    std::uint64_t limit = 0;
    const auto [end, code] = std::from_chars(parameter.data(), parameter.data() + parameter.size(), limit);
    // RFC 1870 4: no parameter and zero both mean that no limit is in force; what is no number says nothing either.
    if (code == std::errc{} && end == parameter.data() + parameter.size() && limit > 0) out.size_limit = limit;
}

void read_keyword(std::string_view line, Capabilities& out)
{
    const std::string keyword = upper(take_keyword(line));
    if (keyword == "STARTTLS")
        out.starttls = true;
    else if (keyword == "PIPELINING")
        out.pipelining = true;
    else if (keyword == "8BITMIME")
        out.eight_bit_mime = true;
    else if (keyword == "SMTPUTF8")
        out.smtputf8 = true;
    else if (keyword == "CHUNKING")
        out.chunking = true;
    else if (keyword == "ENHANCEDSTATUSCODES")
        out.enhanced_status_codes = true;
    else if (keyword == "DSN")
        out.dsn = true;
    else if (keyword == "SIZE")
        read_size(take_keyword(line), out);
}

std::string name_in(const Reply& reply)
{
    if (reply.lines.empty()) return {};
    std::string_view line = reply.lines.front();
    return std::string{take_keyword(line).substr(0, Capabilities::kNameMax)};
}

} // namespace

Capabilities Capabilities::of_ehlo(const Reply& reply)
{
    Capabilities out;
    out.name = name_in(reply);
    out.esmtp = true;
    for (std::size_t i = 1; i < reply.lines.size(); ++i) read_keyword(reply.lines[i], out);
    return out;
}

Capabilities Capabilities::of_helo(const Reply& reply)
{
    Capabilities out;
    out.name = name_in(reply);
    return out;
}

} // namespace penguin::smtp
