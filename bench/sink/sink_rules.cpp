#include "bench/sink/sink_rules.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace penguin::bench {

namespace {

struct Word {
    std::string key;
    std::string value;
};

// Takes a value off the front: up to a space, or what is in double quotes.
Result<std::string> take_value(std::string_view& text)
{
    std::string value;
    const bool quoted = text.starts_with('"');
    if (quoted) text.remove_prefix(1);
    while (!text.empty()) {
        char c = text.front();
        if (quoted ? c == '"' : c == ' ') break;
        text.remove_prefix(1);
        if (quoted && c == '\\' && !text.empty()) {
            c = text.front();
            text.remove_prefix(1);
        }
        value += c;
    }
    if (!quoted) return value;
    if (text.empty()) return fail(Errc::bad_value, "rule: a quote is not closed");
    text.remove_prefix(1);
    if (!text.empty() && text.front() != ' ') return fail(Errc::bad_value, "rule: no space behind a quote");
    return value;
}

Result<std::vector<Word>> words_of(std::string_view text)
{
    std::vector<Word> words;
    while (true) {
        while (text.starts_with(' ')) text.remove_prefix(1);
        if (text.empty()) return words;
        const std::size_t end = std::min(text.find_first_of(" ="), text.size());
        Word word{std::string{text.substr(0, end)}, {}};
        text.remove_prefix(end);
        if (text.starts_with('=')) {
            text.remove_prefix(1);
            Result<std::string> value = take_value(text);
            if (!value) return std::unexpected{value.error()};
            word.value = std::move(*value);
        }
        words.push_back(std::move(word));
    }
}

std::unexpected<Error> bad(const Word& word, std::string_view rule)
{
    return fail(Errc::bad_value, "rule: " + word.key + "=" + word.value + ": " + std::string{rule});
}

template <class Number>
std::optional<Number> number_in(const std::string& text)
{
    Number value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<SinkPhase> phase_of(std::string_view text)
{
    constexpr std::pair<std::string_view, SinkPhase> kNames[] = {
        {"greeting", SinkPhase::greeting}, {"ehlo", SinkPhase::ehlo}, {"starttls", SinkPhase::starttls},
        {"mail", SinkPhase::mail},         {"rcpt", SinkPhase::rcpt}, {"data", SinkPhase::data},
        {"body", SinkPhase::body}};
    for (const auto& [name, phase] : kNames)
        if (name == text) return phase;
    return std::nullopt;
}

std::string lower(std::string_view text)
{
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

Result<> read_action(const Word& word, SinkRule& rule)
{
    if (word.value == "answer")
        rule.action = SinkRule::Action::answer;
    else if (word.value == "drop")
        rule.action = SinkRule::Action::drop;
    else if (word.value == "stall")
        rule.action = SinkRule::Action::stall;
    else if (word.value == "take-and-drop")
        rule.action = SinkRule::Action::take_and_drop;
    else
        return bad(word, "answer, drop, stall or take-and-drop");
    return {};
}

Result<> read_word(const Word& word, SinkRule& rule)
{
    if (word.key == "phase") {
        const std::optional<SinkPhase> phase = phase_of(word.value);
        if (!phase) return bad(word, "no such phase");
        rule.phase = *phase;
    } else if (word.key == "code") {
        const std::optional<int> code = number_in<int>(word.value);
        if (!code || *code < 200 || *code > 599) return bad(word, "200 to 599");
        rule.code = *code;
    } else if (word.key == "text") {
        if (word.value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) return bad(word, "one line");
        rule.text = word.value;
    } else if (word.key == "action")
        return read_action(word, rule);
    else if (word.key == "delay-ms") {
        const std::optional<unsigned> delay = number_in<unsigned>(word.value);
        if (!delay) return bad(word, "milliseconds");
        rule.delay = std::chrono::milliseconds{*delay};
    } else if (word.key == "share") {
        const std::optional<double> share = number_in<double>(word.value);
        if (!share || !(*share >= 0 && *share <= 1)) return bad(word, "0 to 1");
        rule.share = *share;
    } else if (word.key == "match") {
        if (word.value.empty()) return bad(word, "an address");
        rule.recipients.insert(lower(word.value));
    } else if (word.key == "match-file") {
        if (word.value.empty()) return bad(word, "a path");
        rule.match_file = word.value;
    } else if (word.key == "first-attempts-only" && word.value.empty())
        rule.first_attempts_only = true;
    else
        return bad(word, "no such word");
    return {};
}

// FNV-1a, then mixed, so that close names fall into shares evenly.
std::uint64_t hash_of(std::uint64_t seed, std::string_view sender, std::string_view recipient)
{
    std::uint64_t hash = 0xCBF29CE484222325ULL ^ seed;
    const auto add = [&hash](unsigned char c) { hash = (hash ^ c) * 0x100000001B3ULL; };
    for (const char c : sender) add(static_cast<unsigned char>(c));
    add(0);
    for (const char c : recipient) add(static_cast<unsigned char>(c));
    hash ^= hash >> 33;
    hash *= 0xFF51AFD7ED558CCDULL;
    hash ^= hash >> 33;
    hash *= 0xC4CEB9FE1A85EC53ULL;
    return hash ^ (hash >> 33);
}

bool in_share(std::uint64_t hash, double share)
{
    return share >= 1 || static_cast<double>(hash >> 11) * 0x1.0p-53 < share;
}

} // namespace

Result<SinkRule> SinkRule::parse(std::string_view text)
{
    const Result<std::vector<Word>> words = words_of(text);
    if (!words) return std::unexpected{words.error()};
    SinkRule rule;
    bool phase_given = false;
    for (const Word& word : *words) {
        if (const Result<> read = read_word(word, rule); !read) return std::unexpected{read.error()};
        phase_given = phase_given || word.key == "phase";
    }
    if (!phase_given) return fail(Errc::bad_value, "rule: phase is missing");
    if (rule.action != Action::answer && rule.code != 0)
        return fail(Errc::bad_value, "rule: only action=answer has a code");
    if (rule.action == Action::answer && rule.code == 0 && rule.delay.count() == 0)
        return fail(Errc::bad_value, "rule: it does nothing: code, delay-ms or action is missing");
    if (rule.action == Action::take_and_drop && rule.phase != SinkPhase::body)
        return fail(Errc::bad_value, "rule: take-and-drop works at phase body");
    if ((!rule.recipients.empty() || !rule.match_file.empty()) && rule.phase < SinkPhase::rcpt)
        return fail(Errc::bad_value, "rule: match works from phase rcpt on");
    if (rule.first_attempts_only && rule.phase < SinkPhase::mail)
        return fail(Errc::bad_value, "rule: first-attempts-only works from phase mail on");
    if (rule.code != 0 && rule.text.empty()) rule.text = "said by a rule";
    return rule;
}

void SinkRule::add_recipients(std::string_view lines)
{
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) recipients.insert(lower(line));
    }
}

SinkRules::SinkRules(std::vector<SinkRule> rules) : rules_{std::move(rules)} {}

const SinkRule* SinkRules::find(SinkPhase phase, const SinkSubject& subject)
{
    for (const SinkRule& rule : rules_) {
        if (rule.phase != phase) continue;
        if (!rule.recipients.empty() && !rule.recipients.contains(lower(subject.recipient))) continue;
        const std::uint64_t seed = subject.sender.empty() && subject.recipient.empty() ? subject.connection : 0;
        const std::uint64_t hash = hash_of(seed, subject.sender, subject.recipient);
        if (!in_share(hash, rule.share)) continue;
        const auto place = static_cast<std::uint64_t>(&rule - rules_.data()) + 1;
        if (rule.first_attempts_only && !first_attempt(hash ^ place * 0x9E3779B97F4A7C15ULL)) continue;
        return &rule;
    }
    return nullptr;
}

bool SinkRules::first_attempt(std::uint64_t key)
{
    Shard& shard = shards_[key % kShards];
    const std::scoped_lock lock{shard.mutex};
    if (shard.seen.contains(key)) return false;
    if (shard.seen.size() >= kSeenMax / kShards) return false;
    shard.seen.insert(key);
    return true;
}

} // namespace penguin::bench
