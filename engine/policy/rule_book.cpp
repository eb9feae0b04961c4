#include "engine/policy/rule_book.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <re2/set.h>

#include "engine/policy/re2_options.h"
#include "engine/policy/shipped_rules.h"

namespace penguin::policy {

namespace {

constexpr std::int64_t kSetMemory = 16 << 20; // octets: the patterns of a whole book, and what matching keeps of them

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using ByText = std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>>;

} // namespace

struct RuleBook::Matcher {
    re2::RE2::Set patterns{re2_options(kSetMemory), re2::RE2::UNANCHORED};
    std::vector<std::vector<int>> of_rule; // places in `patterns`
    ByText by_mx;                          // place in `providers_`
    ByText by_name;

    // Which patterns the text has, ascending.
    std::vector<int> found_in(const std::string& text) const
    {
        std::vector<int> found;
        patterns.Match(text, &found);
        std::ranges::sort(found);
        return found;
    }
};

namespace {

class BookCheck {
public:
    explicit BookCheck(std::string_view file) : file_{file} {}

    void refuse(std::string rule, std::string_view field, std::string text)
    {
        problems_.push_back({file_, 0, std::move(rule), std::string{field}, std::move(text)});
    }
    RuleProblems take() { return std::move(problems_); }
    bool fine() const { return problems_.empty(); }

    void index(const std::vector<Provider>& providers, ByText& by_name, ByText& by_mx)
    {
        for (std::size_t i = 0; i < providers.size(); ++i) {
            const Provider& provider = providers[i];
            if (!by_name.emplace(provider.name, i).second) refuse(provider.name, "name", "is given twice");
            for (const std::string& mx : provider.mx)
                if (const auto [place, fresh] = by_mx.emplace(mx, i); !fresh)
                    refuse(provider.name, "mx",
                           fmt::format("\"{}\" belongs to {} already", mx, providers[place->second].name));
        }
        if (providers.size() > kProvidersMax) refuse("", "provider", fmt::format("more than {}", kProvidersMax));
    }

    void check(const std::vector<ReplyRule>& rules, const ByText& providers)
    {
        ByText seen;
        for (const ReplyRule& rule : rules) {
            if (!seen.emplace(rule.id, 0).second) refuse(rule.id, "id", "is given twice");
            for (const std::string& name : rule.providers)
                if (!providers.contains(name)) refuse(rule.id, "provider", fmt::format("nobody knows \"{}\"", name));
        }
        if (rules.size() > kRulesMax) refuse("", "rule", fmt::format("more than {}", kRulesMax));
    }

private:
    std::string file_;
    RuleProblems problems_;
};

// What has the name of one below takes its place; the others come first, in their order.
template <class Item>
void replace_or_add(std::vector<Item>& below, std::vector<Item> above, std::string Item::* name)
{
    std::vector<Item> out;
    for (Item& item : above) {
        const auto place = std::ranges::find(below, item.*name, name);
        if (place != below.end())
            *place = std::move(item);
        else
            out.push_back(std::move(item));
    }
    std::ranges::move(below, std::back_inserter(out));
    below = std::move(out);
}

} // namespace

RuleBook::RuleBook() = default;
RuleBook::~RuleBook() = default;

RuleBook::Made RuleBook::make(RuleFile content, std::string_view file)
{
    BookCheck check{file};
    auto matcher = std::make_unique<Matcher>();
    check.index(content.providers, matcher->by_name, matcher->by_mx);
    check.check(content.rules, matcher->by_name);
    std::shared_ptr<RuleBook> book{new RuleBook};
    book->providers_ = std::move(content.providers);
    for (ReplyRule& rule : content.rules) {
        std::vector<int>& places = matcher->of_rule.emplace_back();
        for (const std::string& pattern : rule.says) {
            std::string wrong;
            places.push_back(matcher->patterns.Add(pattern, &wrong));
            if (places.back() < 0) check.refuse(rule.id, "says", wrong);
        }
        book->rules_.push_back(std::make_shared<const ReplyRule>(std::move(rule)));
    }
    if (check.fine() && !matcher->patterns.Compile())
        check.refuse("", "says", fmt::format("all patterns together need more than {} octets", kSetMemory));
    if (!check.fine()) return std::unexpected{check.take()};
    book->matcher_ = std::move(matcher);
    return book;
}

std::string_view RuleBook::provider_of(std::string_view mx_host) const
{
    for (std::string_view rest = mx_host; !rest.empty();) {
        const auto found = matcher_->by_mx.find(rest);
        if (found != matcher_->by_mx.end()) return providers_[found->second].name;
        const std::size_t dot = rest.find('.');
        rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    }
    return "";
}

const Provider* RuleBook::provider(std::string_view name) const
{
    const auto found = matcher_->by_name.find(name);
    return found == matcher_->by_name.end() ? nullptr : &providers_[found->second];
}

std::vector<RulePtr> RuleBook::all(std::string_view provider, smtp::Phase phase, const NormalReply& reply) const
{
    const std::vector<int> found = matcher_->found_in(reply.text);
    const auto said = [&](int pattern) { return std::ranges::binary_search(found, pattern); };
    std::vector<RulePtr> for_provider;
    std::vector<RulePtr> for_any;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const RulePtr& rule = rules_[i];
        if (!rule->fits(phase, reply.code, reply.enhanced)) continue;
        if (!std::ranges::all_of(matcher_->of_rule[i], said)) continue;
        if (rule->providers.empty())
            for_any.push_back(rule);
        else if (std::ranges::find(rule->providers, provider) != rule->providers.end())
            for_provider.push_back(rule);
    }
    for_provider.insert(for_provider.end(), for_any.begin(), for_any.end());
    return for_provider;
}

RulePtr RuleBook::find(std::string_view provider, smtp::Phase phase, const NormalReply& reply) const
{
    const std::vector<RulePtr> fitting = all(provider, phase, reply);
    return fitting.empty() ? nullptr : fitting.front();
}

std::expected<RuleFile, RuleProblems> put_over(RuleFile below, RuleFile above, std::string_view file)
{
    RuleProblems problems;
    for (const std::string& id : above.off)
        if (std::erase_if(below.rules, [&](const ReplyRule& rule) { return rule.id == id; }) == 0)
            problems.push_back({std::string{file}, 0, id, "off", "there is no such rule"});
    if (!problems.empty()) return std::unexpected{std::move(problems)};
    replace_or_add(below.providers, std::move(above.providers), &Provider::name);
    replace_or_add(below.rules, std::move(above.rules), &ReplyRule::id);
    return below;
}

const RuleFile& shipped_rule_file()
{
    static const RuleFile all = [] {
        RuleFile out;
        for (const ShippedRules& shipped : kShippedRules) {
            RuleFile file = parse_rule_file(shipped.text, shipped.name, RuleOrigin::shipped)
                                .value(); // a test holds them against the parser
            std::ranges::move(file.providers, std::back_inserter(out.providers));
            std::ranges::move(file.rules, std::back_inserter(out.rules));
        }
        return out;
    }();
    return all;
}

const std::shared_ptr<const RuleBook>& shipped_rules()
{
    static const std::shared_ptr<const RuleBook> book = RuleBook::make(shipped_rule_file(), "shipped rules").value();
    return book;
}

std::string_view shipped_rules_digest() { return kShippedDigest; }

std::expected<RuleFile, RuleProblems> layer_over(RuleFile below, std::string_view text, std::string_view file,
                                                 RuleOrigin origin)
{
    auto own = parse_rule_file(text, file, origin);
    if (!own) return std::unexpected{std::move(own.error())};
    return put_over(std::move(below), std::move(*own), file);
}

RuleBook::Made rules_over_shipped(std::string_view text, std::string_view file)
{
    auto whole = layer_over(shipped_rule_file(), text, file, RuleOrigin::file);
    if (!whole) return std::unexpected{std::move(whole.error())};
    return RuleBook::make(std::move(*whole), file);
}

} // namespace penguin::policy
