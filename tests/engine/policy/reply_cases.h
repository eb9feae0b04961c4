// Reads the files of replies/ (README.md there has the format).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/policy/reply_rule.h"
#include "engine/smtp/reply.h"

namespace penguin::policy {

struct ReplyCase {
    std::string name; // "gmail.txt:12"
    std::string provider;
    smtp::Phase phase{};
    smtp::Reply reply;
    std::string expected; // the third line
};

std::vector<ReplyCase> reply_cases(const std::filesystem::path& folder);

} // namespace penguin::policy
