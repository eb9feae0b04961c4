#include "bench/harness/letters.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "bench/harness/nameserver.h"

namespace penguin::bench {

namespace {

namespace json = boost::json;

constexpr std::size_t kLine = 72; // octets, CRLF included
constexpr std::string_view kSerial = "{{serial}}";

// As long as a real one with an RSA-2048 key; it is not meant to verify.
std::string signature_of(const std::string& domain)
{
    return fmt::format(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td={}; s=before;\r\n"
        "\th=From:To:Subject:MIME-Version:Content-Type;\r\n"
        "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb={}\r\n\t{}\r\n\t{}\r\n\t{}\r\n\t{}\r\n",
        domain, std::string(68, 'A'), std::string(68, 'B'), std::string(68, 'C'), std::string(68, 'D'),
        std::string(68, 'E') + "==");
}

std::string text_line(std::size_t number, std::size_t octets)
{
    std::string line = fmt::format("Line {} says what mail says. ", number);
    while (line.size() < kLine) line += static_cast<char>('a' + (number + line.size()) % 26);
    line.resize(std::max<std::size_t>(octets, 2) - 2);
    return line + "\r\n";
}

} // namespace

std::string recipient_address(std::size_t number, std::size_t domains)
{
    return fmt::format("u{}@{}", number, recipient_domain(number % domains));
}

std::string letter_for(std::string letter, std::size_t number)
{
    const std::string value = std::to_string(number);
    for (std::size_t at = letter.find(kSerial); at != std::string::npos; at = letter.find(kSerial, at))
        letter.replace(at, kSerial.size(), value);
    return letter;
}

std::string letter(const std::string& domain, const LetterOptions& options)
{
    std::string text = options.signed_before ? signature_of(domain) : std::string{};
    text += fmt::format("From: Sales <sales@{0}>\r\nTo: customers@{0}\r\nSubject: A word from us{1}{3}\r\n"
                        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{2}",
                        domain, options.distinct ? fmt::format(", number {}", kSerial) : "",
                        options.distinct ? fmt::format("Your number is {}.\r\n", kSerial) : "",
                        options.mark.empty() ? "" : ", " + options.mark);
    for (std::size_t number = 1; text.size() + 2 <= options.size; ++number) {
        const std::size_t left = options.size - text.size();
        // Nothing may be left over that is too short for a line.
        text += text_line(number, left <= kLine ? left : left - kLine == 1 ? kLine - 1 : kLine);
    }
    return text;
}

std::string batch_body(const std::string& message, bool distinct, std::size_t first, std::size_t count,
                       std::size_t domains, const std::string& mailbox)
{
    json::array recipients;
    recipients.reserve(count);
    for (std::size_t number = first; number < first + count; ++number) {
        json::object recipient{{"email", recipient_address(number, domains)}};
        if (distinct) recipient["variables"] = json::object{{"serial", number}};
        recipients.emplace_back(std::move(recipient));
    }
    const json::object raw{{"message", message}, {"variables", distinct}};
    json::object body{{"raw", raw}, {"recipients", std::move(recipients)}};
    if (!mailbox.empty()) body["mailbox_id"] = mailbox;
    return json::serialize(body);
}

std::string inject_body(const std::string& sender, const std::string& message, std::size_t number, std::size_t domains)
{
    const json::object recipient{{"email", recipient_address(number, domains)}};
    const json::array recipients(1, recipient);
    return json::serialize(json::object{{"envelope_sender", sender}, {"content", message}, {"recipients", recipients}});
}

} // namespace penguin::bench
