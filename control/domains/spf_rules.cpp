// judge_spf() of record_rules.h.
#include <algorithm>
#include <array>
#include <charconv>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "control/domains/record_rules.h"

namespace penguin::control {

namespace {

using boost::asio::ip::address;
namespace ip = boost::asio::ip;

std::string lower(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

// RFC 7208 4.5: the version, then the end or a space.
bool is_spf(std::string_view text)
{
    const std::string start = lower(text.substr(0, 7));
    return start == "v=spf1 " || start == "v=spf1";
}

struct Term {
    char qualifier = '+';
    std::string name;   // lower case
    std::string value;  // behind : or =; empty without
    std::string prefix; // "/24" of a bare "a/24"
    bool modifier = false;
};

Term parse_term(std::string_view text)
{
    Term term;
    if (std::string_view{"+-~?"}.contains(text.front())) {
        term.qualifier = text.front();
        text.remove_prefix(1);
    }
    const auto end = std::min(text.find_first_of(":=/"), text.size());
    term.name = lower(text.substr(0, end));
    if (end == text.size()) return term;
    term.modifier = text[end] == '=';
    if (text[end] == '/')
        term.prefix = text.substr(end);
    else
        term.value = text.substr(end + 1);
    return term;
}

std::vector<Term> terms_of(std::string_view record)
{
    std::vector<Term> terms;
    record.remove_prefix(std::min<std::size_t>(record.size(), 6));
    while (!record.empty() && terms.size() <= kSpfTermsMax) {
        const auto end = std::min(record.find(' '), record.size());
        if (end > 0) terms.push_back(parse_term(record.substr(0, end)));
        record.remove_prefix(std::min(end + 1, record.size()));
    }
    return terms;
}

// Whether the network of "ip4:192.0.2.0/24" holds the address. Nothing: not a network.
std::optional<bool> network_holds(const Term& term, const address& target)
{
    boost::system::error_code code;
    const bool v4 = term.name == "ip4";
    const std::string text = term.value.contains('/') ? term.value : term.value + (v4 ? "/32" : "/128");
    if (v4) {
        const auto network = ip::make_network_v4(text, code);
        if (code) return std::nullopt;
        if (!target.is_v4()) return false;
        return ip::network_v4{target.to_v4(), network.prefix_length()}.canonical() == network.canonical();
    }
    const auto network = ip::make_network_v6(text, code);
    if (code) return std::nullopt;
    if (!target.is_v6()) return false;
    return ip::network_v6{target.to_v6(), network.prefix_length()}.canonical() == network.canonical();
}

constexpr std::array<std::string_view, 6> kLookupNames = {"include", "a", "mx", "ptr", "exists", "redirect"};

// What makes every receiver throw the record away (permerror), or worse. Empty: nothing.
std::string fault_of(const std::vector<Term>& terms)
{
    constexpr std::array<std::string_view, 8> kMechanisms = {"all", "include", "a",   "mx",
                                                             "ptr", "ip4",     "ip6", "exists"};
    if (terms.size() > kSpfTermsMax) return "the SPF record has too many terms";
    std::size_t lookups = 0;
    std::size_t redirects = 0;
    for (const Term& term : terms) {
        if (std::ranges::find(kLookupNames, term.name) != kLookupNames.end()) ++lookups;
        if (term.modifier) {
            redirects += term.name == "redirect" ? 1 : 0;
            if (term.name.empty()) return "the SPF record has a term without a name";
            continue;
        }
        if (std::ranges::find(kMechanisms, term.name) == kMechanisms.end())
            return "the SPF record has a term that receivers do not know: " + term.name;
        const bool network = term.name == "ip4" || term.name == "ip6";
        if (network && !network_holds(term, address{}))
            return "the SPF record has a bad network: " + term.name + ":" + term.value;
        if ((term.name == "include" || term.name == "exists") && term.value.empty())
            return "the SPF record has " + term.name + " without a name";
        if (term.name == "all" && term.qualifier == '+') return "the SPF record allows the whole world to send (+all)";
    }
    if (redirects > 1) return "the SPF record has more than one redirect";
    if (lookups > kSpfLookupsMax) return "the SPF record needs more than 10 DNS look-ups: receivers ignore it";
    return {};
}

bool names_include(const Term& term, const DomainSetup& setup)
{
    if (!setup.spf_include || (term.name != "include" && term.name != "redirect")) return false;
    const Result<DomainName> named = DomainName::parse_record_name(term.value);
    return named && *named == *setup.spf_include;
}

// The first term that matches decides (RFC 7208 4.6.2); a redirect comes after all of them.
bool passes(const std::vector<Term>& terms, const DomainSetup& setup, const address& target)
{
    for (const Term& term : terms) {
        if (term.modifier) continue;
        const bool network = term.name == "ip4" || term.name == "ip6";
        const bool matches = (network && network_holds(term, target).value_or(false)) || term.name == "all" ||
                             names_include(term, setup);
        if (matches) return term.qualifier == '+';
    }
    return std::ranges::any_of(terms, [&](const Term& term) { return term.modifier && names_include(term, setup); });
}

// Whether our include stands in the record at a place where it is reached.
bool include_passes(const std::vector<Term>& terms, const DomainSetup& setup)
{
    for (const Term& term : terms) {
        if (!term.modifier && names_include(term, setup)) return term.qualifier == '+';
        if (!term.modifier && term.name == "all") return false;
    }
    return std::ranges::any_of(terms, [&](const Term& term) { return term.modifier && names_include(term, setup); });
}

std::string wanted_terms(const DomainSetup& setup, const std::vector<address>& not_passed)
{
    if (setup.spf_include) return "include:" + setup.spf_include->text();
    std::string text;
    for (const address& target : not_passed)
        text += (text.empty() ? "" : " ") + std::string{target.is_v4() ? "ip4:" : "ip6:"} + target.to_string();
    return text;
}

} // namespace

Judgement judge_spf(std::span<const std::string> texts, const DomainSetup& setup)
{
    Judgement judgement;
    for (const std::string& text : texts.first(std::min(texts.size(), kTxtsJudgedMax)))
        if (is_spf(text)) judgement.found.push_back(text);
    if (judgement.found.empty()) {
        judgement.detail = "no SPF record";
        return judgement;
    }
    judgement.status = RecordStatus::wrong;
    if (judgement.found.size() > 1) {
        judgement.detail = "more than one SPF record: receivers accept none of them (RFC 7208 4.5); make one of them";
        return judgement;
    }
    const std::vector<Term> terms = terms_of(judgement.found.front());
    judgement.detail = fault_of(terms);
    if (!judgement.detail.empty()) return judgement;

    std::vector<address> not_passed;
    for (const address& target : setup.sending_addresses)
        if (!passes(terms, setup, target)) not_passed.push_back(target);
    const bool covered = !setup.sending_addresses.empty() && not_passed.empty();
    if (covered || (setup.spf_include && include_passes(terms, setup))) {
        judgement.status = RecordStatus::ok;
        return judgement;
    }
    judgement.detail = "the SPF record does not cover us; add before its last term: " + wanted_terms(setup, not_passed);
    return judgement;
}

} // namespace penguin::control
