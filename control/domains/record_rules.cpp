#include "control/domains/record_rules.h"

#include <algorithm>

namespace penguin::control {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string without_space(std::string_view text)
{
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return !is_space(c); });
    return out;
}

bool is_tag_name(std::string_view name)
{
    const auto is_alpha = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && is_alpha(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return is_alpha(c) || (c >= '0' && c <= '9') || c == '_'; });
}

const std::string* value_of(const std::vector<Tag>& tags, std::string_view name)
{
    const auto found = std::ranges::find(tags, name, &Tag::name);
    return found == tags.end() ? nullptr : &found->value;
}

// Whether "a:b:c" names `item` (or "*").
bool lists(std::string_view list, std::string_view item)
{
    while (true) {
        const auto colon = std::min(list.find(':'), list.size());
        const std::string_view part = trimmed(list.substr(0, colon));
        if (part == item || part == "*") return true;
        if (colon == list.size()) return false;
        list.remove_prefix(colon + 1);
    }
}

// Why a verifier would not take this key record for our signature. Empty: it would.
std::string dkim_fault(std::string_view text, const DkimRecord& key)
{
    const auto tags = parse_tags(text);
    if (!tags) return "the DKIM record is not a list of tags";
    const std::string* version = value_of(*tags, "v");
    if (version != nullptr && (*version != "DKIM1" || tags->front().name != "v"))
        return "the DKIM record must start with v=DKIM1";
    const std::string* published = value_of(*tags, "p");
    if (published == nullptr) return "the DKIM record has no key (p=)";
    if (published->empty()) return "the DKIM record says that its key is revoked (p= is empty)";
    const std::string* algorithm = value_of(*tags, "k");
    if ((algorithm == nullptr ? "rsa" : *algorithm) != name_of(key.algorithm))
        return "the DKIM record has a key of another kind (k=)";
    if (without_space(*published) != without_space(key.public_key_base64))
        return "the DKIM record has another key: copy p= again, whole";
    const std::string* hashes = value_of(*tags, "h");
    if (hashes != nullptr && !lists(*hashes, "sha256")) return "the DKIM record does not allow sha256 (h=)";
    const std::string* services = value_of(*tags, "s");
    if (services != nullptr && !lists(*services, "email")) return "the DKIM record is not for mail (s=)";
    return {};
}

bool is_dmarc(std::string_view text)
{
    const auto semicolon = std::min(text.find(';'), text.size());
    return without_space(text.substr(0, semicolon)) == "v=DMARC1";
}

std::string dmarc_fault(std::string_view text)
{
    const auto tags = parse_tags(text);
    if (!tags) return "the DMARC record is not a list of tags";
    const std::string* policy = value_of(*tags, "p");
    if (policy == nullptr) return "the DMARC record has no policy (p=)";
    std::string kind = *policy;
    std::ranges::transform(kind, kind.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (kind != "none" && kind != "quarantine" && kind != "reject")
        return "the DMARC record has a policy that does not exist (p=" + *policy + ")";
    return {};
}

} // namespace

std::optional<std::vector<Tag>> parse_tags(std::string_view text)
{
    std::vector<Tag> tags;
    while (true) {
        const auto end = std::min(text.find(';'), text.size());
        const std::string_view part = trimmed(text.substr(0, end));
        const bool last = end == text.size();
        if (last && part.empty()) return tags;
        const auto equals = part.find('=');
        if (equals == std::string_view::npos || tags.size() == kTagsMax) return std::nullopt;
        const std::string_view name = trimmed(part.substr(0, equals));
        if (!is_tag_name(name) || value_of(tags, name) != nullptr) return std::nullopt;
        tags.push_back({std::string{name}, std::string{trimmed(part.substr(equals + 1))}});
        if (last) return tags;
        text.remove_prefix(end + 1);
    }
}

Judgement judge_dkim(std::span<const std::string> texts, const DkimRecord& key)
{
    Judgement judgement;
    const auto judged = texts.first(std::min(texts.size(), kTxtsJudgedMax));
    judgement.found.assign(judged.begin(), judged.end());
    if (judgement.found.empty()) {
        judgement.detail = "no DKIM record";
        return judgement;
    }
    judgement.status = RecordStatus::wrong;
    if (judgement.found.size() > 1) {
        judgement.detail = "more than one record at this name: verifiers may take either (RFC 6376 3.6.2.2)";
        return judgement;
    }
    judgement.detail = dkim_fault(judgement.found.front(), key);
    if (!judgement.detail.empty()) return judgement;
    judgement.status = RecordStatus::ok;
    const auto tags = parse_tags(judgement.found.front());
    const std::string* flags = value_of(*tags, "t");
    if (flags != nullptr && lists(*flags, "y"))
        judgement.detail = "t=y says that DKIM is being tested: some receivers then ignore the signature; remove it";
    return judgement;
}

Judgement judge_dmarc(std::span<const std::string> texts)
{
    Judgement judgement;
    for (const std::string& text : texts.first(std::min(texts.size(), kTxtsJudgedMax)))
        if (is_dmarc(text)) judgement.found.push_back(text);
    if (judgement.found.empty()) {
        judgement.detail = "no DMARC record: Google, Yahoo and Microsoft refuse bulk mail without one";
        return judgement;
    }
    judgement.status = RecordStatus::wrong;
    if (judgement.found.size() > 1) {
        judgement.detail = "more than one DMARC record: receivers apply none (RFC 7489 6.6.3)";
        return judgement;
    }
    judgement.detail = dmarc_fault(judgement.found.front());
    if (judgement.detail.empty()) judgement.status = RecordStatus::ok;
    return judgement;
}

Judgement judge_mx(std::span<const dns::MxRecord> records, const DomainName& host)
{
    Judgement judgement;
    for (const dns::MxRecord& record : records)
        judgement.found.push_back(std::to_string(record.preference) + " " +
                                  (record.exchange.empty() ? "." : record.exchange));
    if (records.empty()) {
        judgement.detail = "no MX record: bounces cannot come back";
        return judgement;
    }
    judgement.status = RecordStatus::wrong;
    const auto best = std::ranges::min(records, {}, &dns::MxRecord::preference).preference;
    bool ours = false;
    bool others = false;
    for (const dns::MxRecord& record : records) {
        if (record.preference != best) continue;
        (record.exchange == host.text() ? ours : others) = true;
    }
    if (!ours)
        judgement.detail = "the best MX is not " + host.text() + ": bounces go elsewhere";
    else if (others)
        judgement.detail = "another host has the same preference: a part of the bounces goes there";
    else
        judgement.status = RecordStatus::ok;
    return judgement;
}

} // namespace penguin::control
