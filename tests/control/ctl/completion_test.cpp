#include "control/ctl/completion.h"

#include <gtest/gtest.h>

#include "control/ctl/arguments.h"

namespace penguin::control::ctl {
namespace {

// What bash makes of it: completion_script_test.py.
TEST(CompletionScript, KnowsEveryResourceVerbAndOption)
{
    const std::vector<Verb> verbs = all_verbs();
    const std::string script = completion_script(verbs, "bash");
    for (const Verb& verb : verbs) {
        const std::string line_begin = "    ' " + std::string{verb.resource} + " " + std::string{verb.name} + "'*) ";
        const std::size_t begin = script.find(line_begin + (verb.takes_file ? "files=yes " : "") + "options='");
        ASSERT_NE(begin, std::string::npos) << line_begin;
        const std::string line = script.substr(begin, script.find('\n', begin) - begin);
        for (const Param& param : verb.params)
            if (option_of(param).starts_with("--")) EXPECT_TRUE(line.contains(option_of(param) + " ")) << line;
        EXPECT_EQ(line.contains("--all "), verb.paged) << line;
    }
    EXPECT_TRUE(script.contains("' events list'*' --kind') choices='delivered deferred"));
}

TEST(CompletionScript, ZshTakesTheSameByBashcompinit)
{
    const std::vector<Verb> verbs = all_verbs();
    EXPECT_EQ(completion_script(verbs, "zsh"),
              "autoload -Uz bashcompinit && bashcompinit\n" + completion_script(verbs, "bash"));
}

} // namespace
} // namespace penguin::control::ctl
