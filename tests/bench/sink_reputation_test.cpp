// Reputation over real sockets, our own session as the client: that of the bundled profiles bites, in its provider's words,
// which the engine's rules know, and lets go. And complaints become reports. The clock is passed in.
#include <boost/json.hpp>

#include "engine/policy/verdict.h"
#include "tests/bench/visiting.h"

namespace penguin::bench {
namespace {

namespace fs = std::filesystem;

// Nothing else of the profile bites.
SinkProfile reputation_of(const std::string& name)
{
    const SinkProfile whole = bundled(name);
    SinkProfile out{.name = whole.name, .seed = whole.seed};
    out.reputation = whole.reputation;
    out.reports = whole.reports;
    out.unknown = ProviderShare{.share = 0, .answer = whole.unknown->answer};
    return out;
}

ReputationRules::Treatment& treatment(SinkProfile& profile, Grade grade)
{
    return profile.reputation->rules.treatment[static_cast<std::size_t>(grade)];
}

// What one message gets.
Outcome outcome_at(const Provider& provider)
{
    Outcome out;
    play([](const Provider& at, Outcome& told) -> awaitable<void> {
        Visit visitor = co_await visit(at);
        if (!visitor.stands()) {
            told = visitor.session.error();
            co_return;
        }
        const std::vector<Outcome> outcomes = co_await send(**visitor.session, {"user0@x.example"});
        told = outcomes.front();
        co_await (*visitor.session)->quit();
    }(provider, out));
    return out;
}

struct Bundled {
    const char* name;
    bool domain; // who is blamed
    std::string throttled;
    std::string deferred;
    std::string blocked; // the engine's rules that know the words
};

class BundledReputation : public testing::TestWithParam<Bundled> {
protected:
    SinkProfile profile() const
    {
        SinkProfile profile = reputation_of(GetParam().name);
        std::optional<ProviderReputation>& reputation = profile.reputation;
        (GetParam().domain ? reputation->address : reputation->domain).reset();
        return profile;
    }
    static const ProviderReputation::Replies& replies(const SinkProfile& profile)
    {
        const ProviderReputation& reputation = *profile.reputation;
        return GetParam().domain ? *reputation.domain : *reputation.address;
    }
    static void expect_refused(const Provider& provider, const ProviderAnswer& words, std::string_view rule)
    {
        const Outcome outcome = outcome_at(provider);
        EXPECT_EQ(said(outcome), words_of(words, "user0@x.example", "s.example"));
        EXPECT_EQ(policy::decide(outcome, *policy::shipped_rules(), GetParam().name).rule, rule) << said(outcome);
    }
};

TEST_P(BundledReputation, ADayThatHistoryDoesNotSupportIsCutOff)
{
    SinkProfile from = profile();
    from.reputation->rules.first_day = 2;
    Provider provider{from};
    EXPECT_EQ(said(outcome_at(provider)), "250");
    EXPECT_EQ(said(outcome_at(provider)), "250");
    expect_refused(provider, replies(from).throttled, GetParam().throttled);
    provider.advance(24h);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(said(outcome_at(provider)), "250");
    expect_refused(provider, replies(from).throttled, GetParam().throttled);
}

TEST_P(BundledReputation, ALowOneIsPutOff)
{
    SinkProfile from = profile();
    from.reputation->rules.start = 30;
    treatment(from, Grade::low).deferred = 1;
    Provider provider{from};
    expect_refused(provider, replies(from).deferred, GetParam().deferred);
}

TEST_P(BundledReputation, ABlockComesWithUnknownUsersAndEndsForWhoStops)
{
    SinkProfile from = profile();
    from.unknown->share = 1;
    ReputationRules& rules = from.reputation->rules;
    rules.unknown.sample = 1;
    treatment(from, Grade::low).deferred = 0;
    rules.complaints.weight = 0;
    rules.unknown.weight = 100;
    Provider provider{from};
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(said(outcome_at(provider)), words_of(from.unknown->answer, "user0@x.example"));
    provider.advance(rules.fall * 4);
    expect_refused(provider, replies(from).blocked, GetParam().blocked);
    provider.advance(rules.block.time);
    EXPECT_EQ(said(outcome_at(provider)), words_of(from.unknown->answer, "user0@x.example"));
    const boost::json::object told = boost::json::parse(provider.to_json()).at("reputation").as_object();
    const boost::json::object& one =
        told.at(GetParam().domain ? "domains" : "addresses").at("poorest").at(0).as_object();
    EXPECT_EQ(one.at("name"), GetParam().domain ? "s.example" : kAddress);
    EXPECT_EQ(one.at("grade"), "low");
    EXPECT_EQ(one.at("blocks").to_number<int>(), 1);
    EXPECT_EQ(one.at("unknown").to_number<int>(), 4);
}

const Bundled kBundled[] = {
    {"gmail", false, "gmail-4.7.28-ip", "gmail-4.7.0-ip-reputation", "gmail-5.7.28"},
    {"gmail", true, "gmail-4.7.28-spf", "gmail-4.7.0-domain-reputation", "gmail-5.7.1-domain-reputation"},
    {"outlook", false, "outlook-rp-001", "outlook-4.7.651", "outlook-s3150"},
    {"yahoo", false, "yahoo-tss04", "yahoo-tss05", "yahoo-tss09"},
};
INSTANTIATE_TEST_SUITE_P(Profiles, BundledReputation, testing::ValuesIn(kBundled), [](const auto& row) {
    return std::string{row.param.name} + (row.param.domain ? "Domain" : "Address");
});

// Once its 200 a minute are used up, who goes on gets a twentieth of that; who follows Google's procedure gets it all back.
TEST(SinkReputation, GmailThrottlesWhoGoesOnAndLetsGoOfWhoStops)
{
    SinkProfile profile = bundled("gmail");
    profile.unknown.reset();
    profile.full.reset();
    profile.messages_per_connection.reset();
    Provider gmail{profile};
    const auto taken_of = [&gmail](int messages) {
        const std::uint64_t before = gmail.counts().messages;
        for (int sent = 0; sent < messages;)
            play([](const Provider& at, int& count, int most) -> awaitable<void> {
                Visit visitor = co_await visit(at);
                for (bool goes_on = visitor.stands(); goes_on && count < most; ++count)
                    goes_on = co_await send_one(**visitor.session) == "250";
                if (!visitor.stands()) ++count;
            }(gmail, sent, messages));
        return gmail.counts().messages - before;
    };
    EXPECT_EQ(taken_of(270), 200U);
    gmail.advance(1min);
    EXPECT_EQ(taken_of(40), 10U);
    gmail.advance(81min); // and no word meanwhile: the quiet time and the ramp
    EXPECT_EQ(taken_of(150), 150U);
}

// ---- reports

class Folder {
public:
    Folder()
    {
        std::string name = (fs::temp_directory_path() / "sink_reports.XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const fs::path& path() const { return path_; }
    std::size_t files() const
    {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator{path_}, fs::directory_iterator{}));
    }

private:
    fs::path path_;
};

boost::json::object reports_of(const Provider& provider)
{
    return boost::json::parse(provider.to_json()).at("reports").as_object();
}

SinkProfile complaining()
{
    SinkProfile profile = reputation_of("yahoo");
    treatment(profile, Grade::medium).complained = 1;
    return profile;
}

TEST(SinkReputation, ReportsAreBoundedByTheMinuteAndInAll)
{
    const Folder folder;
    SinkProfile profile = complaining();
    profile.reports->per_minute = 2;
    profile.reports->most = 3;
    Provider provider{profile, 1, ComplaintDesk::Options{.folder = folder.path()}};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(said(outcome_at(provider)), "250");
    EXPECT_EQ(folder.files(), 2U);
    EXPECT_EQ(reports_of(provider).at("over_the_bounds").to_number<int>(), 1);
    provider.advance(1min);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(said(outcome_at(provider)), "250");
    EXPECT_EQ(folder.files(), 3U);
    EXPECT_EQ(reports_of(provider).at("written").to_number<int>(), 3);
    EXPECT_EQ(reports_of(provider).at("over_the_bounds").to_number<int>(), 2);
}

TEST(SinkReputation, ReportsThatCannotBeSentAreCountedAndStopNoMail)
{
    asio::io_context io;
    asio::ip::tcp::acceptor nobody{io, {asio::ip::make_address(kAddress), 0}};
    const asio::ip::tcp::endpoint gone = nobody.local_endpoint();
    nobody.close();
    Provider provider{complaining(), 1,
                      ComplaintDesk::Options{.to = EmailAddress::parse("fbl@us.example").value(), .via = gone}};
    EXPECT_EQ(said(outcome_at(provider)), "250");
    const SteadyTime end = net::soon();
    while (reports_of(provider).at("failed").to_number<int>() == 0 && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    EXPECT_EQ(reports_of(provider).at("failed").to_number<int>(), 1);
    EXPECT_EQ(reports_of(provider).at("sent").to_number<int>(), 0);
}

TEST(SinkReputation, ReportsNeedAProfileAndAnAddress)
{
    SinkOptions options;
    options.reports = ComplaintDesk::Options{.folder = "/tmp"};
    EXPECT_EQ(Sink::start(options).error().code, Errc::bad_value);
    options.profile = complaining();
    options.reports = ComplaintDesk::Options{.via = asio::ip::tcp::endpoint{asio::ip::make_address(kAddress), 25}};
    EXPECT_EQ(Sink::start(options).error().code, Errc::bad_value);
}

} // namespace
} // namespace penguin::bench
