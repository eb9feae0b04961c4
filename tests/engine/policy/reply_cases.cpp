#include "tests/engine/policy/reply_cases.h"

#include <algorithm>
#include <fstream>

#include "engine/smtp/reply_parser.h"

namespace penguin::policy {

namespace {

smtp::Reply reply_of(std::string text)
{
    for (std::size_t at = text.find(" | "); at != std::string::npos; at = text.find(" | ", at))
        text.replace(at, 3, "\r\n");
    text += "\r\n";
    std::string_view bytes = text;
    smtp::ReplyParser parser;
    return parser.take(bytes).value().value();
}

} // namespace

std::vector<ReplyCase> reply_cases(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{folder})
        if (entry.path().extension() == ".txt") files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<ReplyCase> out;
    for (const auto& file : files) {
        std::ifstream in{file};
        std::string who, said, expected, empty;
        for (int line = 1; std::getline(in, who) && std::getline(in, said) && std::getline(in, expected); line += 4) {
            const std::size_t space = who.find(' ');
            ReplyCase one{.name = file.filename().string() + ":" + std::to_string(line),
                          .provider = who.starts_with("-") ? "" : who.substr(0, space),
                          .phase = parse_reply_phase(who.substr(space + 1)).value(),
                          .reply = reply_of(said),
                          .expected = expected};
            out.push_back(std::move(one));
            std::getline(in, empty);
        }
    }
    return out;
}

} // namespace penguin::policy
