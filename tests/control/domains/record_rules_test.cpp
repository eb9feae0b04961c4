#include "control/domains/record_rules.h"

#include <gtest/gtest.h>

namespace penguin::control {
namespace {

namespace ip = boost::asio::ip;
DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

DomainSetup setup_of(const std::vector<std::string>& addresses, const char* include = nullptr)
{
    DomainSetup setup{.domain = domain("example.com"),
                      .bounce_host = domain("b.example.com"),
                      .bounce_mx = domain("bounces.sender.example"),
                      .dkim = {{"pm1", DkimAlgorithm::rsa, "QUJD"}},
                      .sending_addresses = {},
                      .spf_include = std::nullopt,
                      .dmarc_reports = std::nullopt};
    for (const std::string& text : addresses) setup.sending_addresses.push_back(ip::make_address(text));
    if (include != nullptr) setup.spf_include = domain(include);
    return setup;
}

struct SpfCase {
    const char* name;
    std::vector<std::string> texts;
    RecordStatus status;
    const char* detail; // a part of it
};

void expect_spf(const std::vector<SpfCase>& rows, const DomainSetup& setup)
{
    for (const SpfCase& row : rows) {
        const Judgement judgement = judge_spf(row.texts, setup);
        EXPECT_EQ(name_of(judgement.status), name_of(row.status)) << row.name << ": " << judgement.detail;
        EXPECT_NE(judgement.detail.find(row.detail), std::string::npos) << row.name << ": " << judgement.detail;
    }
}

TEST(JudgeSpf, NetworksMustCoverEverySendingAddress)
{
    expect_spf(
        {
            {"Ours", {"v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip6:2001:db8::1 ~all"}, RecordStatus::ok, ""},
            {"Ranges", {"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"}, RecordStatus::ok, ""},
            {"AmongOthers",
             {"other", "V=SPF1 include:_spf.google.com IP4:192.0.2.0/24 ip6:2001:DB8::/32 ?all"},
             RecordStatus::ok,
             ""},
            {"NoAllAtTheEnd", {"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1"}, RecordStatus::ok, ""},
            {"SpacesAndModifiers",
             {"v=spf1  ip4:192.0.2.0/24  ip6:2001:db8::1 exp=e.example.com  ~all "},
             RecordStatus::ok,
             ""},
            {"None", {}, RecordStatus::missing, "no SPF record"},
            {"OnlyOtherTexts",
             {"google-site-verification=x", "v=spf10 ip4:192.0.2.1", "spf2.0/pra all"},
             RecordStatus::missing,
             ""},
            {"Empty", {"v=spf1"}, RecordStatus::wrong, "ip4:192.0.2.1 ip4:192.0.2.2 ip6:2001:db8::1"},
            {"OneMissing", {"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all"}, RecordStatus::wrong, "ip4:192.0.2.2"},
            {"BehindAll", {"v=spf1 ~all ip4:192.0.2.0/24 ip6:2001:db8::1"}, RecordStatus::wrong, "does not cover"},
            {"Softfail", {"v=spf1 ~ip4:192.0.2.0/24 ip6:2001:db8::1 ~all"}, RecordStatus::wrong, "does not cover"},
            {"TakenOutBefore",
             {"v=spf1 -ip4:192.0.2.2 ip4:192.0.2.0/24 ip6:2001:db8::1 ~all"},
             RecordStatus::wrong,
             "ip4:192.0.2.2"},
            {"Two",
             {"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1 ~all", "v=spf1 -all"},
             RecordStatus::wrong,
             "more than one"},
            {"World", {"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1 +all"}, RecordStatus::wrong, "+all"},
            {"WorldWithoutSign", {"v=spf1 all"}, RecordStatus::wrong, "+all"},
            {"BadNetwork", {"v=spf1 ip4:192.0.2.0/33 ~all"}, RecordStatus::wrong, "bad network"},
            {"NoNetwork", {"v=spf1 ip4 ~all"}, RecordStatus::wrong, "bad network"},
            {"Ip6InIp4", {"v=spf1 ip4:2001:db8::1 ~all"}, RecordStatus::wrong, "bad network"},
            {"UnknownTerm", {"v=spf1 ipv4:192.0.2.1 ~all"}, RecordStatus::wrong, "ipv4"},
            {"LoneSign", {"v=spf1 + ~all"}, RecordStatus::wrong, "do not know"},
            {"NoInclude", {"v=spf1 include: ~all"}, RecordStatus::wrong, "include"},
            {"TwoRedirects", {"v=spf1 redirect=a.example redirect=b.example"}, RecordStatus::wrong, "redirect"},
            {"TooManyLookups",
             {"v=spf1 a mx a:b.example mx:c.example include:d.example include:e.example include:f.example "
              "include:g.example "
              "include:h.example ptr redirect=j.example"},
             RecordStatus::wrong,
             "10 DNS look-ups"},
        },
        setup_of({"192.0.2.1", "192.0.2.2", "2001:db8::1"}));
}

TEST(JudgeSpf, OurIncludeIsEnough)
{
    expect_spf(
        {
            {"Ours", {"v=spf1 include:spf.sender.example ~all"}, RecordStatus::ok, ""},
            {"AnyCase", {"v=spf1 mx Include:SPF.Sender.Example. -all"}, RecordStatus::ok, ""},
            {"Redirect", {"v=spf1 redirect=spf.sender.example"}, RecordStatus::ok, ""},
            {"AddressesInstead", {"v=spf1 ip4:192.0.2.1 ~all"}, RecordStatus::ok, ""},
            {"BehindAll",
             {"v=spf1 -all include:spf.sender.example"},
             RecordStatus::wrong,
             "include:spf.sender.example"},
            {"RedirectBehindAll", {"v=spf1 -all redirect=spf.sender.example"}, RecordStatus::wrong, ""},
            {"Softfail", {"v=spf1 ~include:spf.sender.example ~all"}, RecordStatus::wrong, ""},
            {"Below", {"v=spf1 include:x.spf.sender.example ~all"}, RecordStatus::wrong, ""},
            {"AModifierOfThatName", {"v=spf1 include=spf.sender.example ~all"}, RecordStatus::wrong, ""},
        },
        setup_of({"192.0.2.1"}, "spf.sender.example"));
    expect_spf({{"IncludeAlone", {"v=spf1 include:spf.sender.example ~all"}, RecordStatus::ok, ""},
                {"NoAddressesToCover", {"v=spf1 ip4:192.0.2.1 ~all"}, RecordStatus::wrong, ""}},
               setup_of({}, "spf.sender.example"));
}

TEST(JudgeSpf, ReadsABoundedNumberOfTerms)
{
    std::string record = "v=spf1";
    for (std::size_t i = 0; i <= kSpfTermsMax; ++i) record += " ip4:192.0.2.1";
    expect_spf({{"TooMany", {record}, RecordStatus::wrong, "too many terms"}}, setup_of({"192.0.2.1"}));
}

struct DkimCase {
    const char* name;
    std::vector<std::string> texts;
    RecordStatus status;
    const char* detail;
};

TEST(JudgeDkim, TheKeyMustBeThereAndUsable)
{
    const DkimRecord key{"pm1", DkimAlgorithm::rsa, "QUJDREVG"};
    const std::vector<DkimCase> rows = {
        {"AsPublished", {"v=DKIM1; k=rsa; p=QUJDREVG"}, RecordStatus::ok, ""},
        {"OtherOrderAndSpace", {" v = DKIM1 ;h=sha1 : sha256;n=a note; p=QUJD\tREVG ;k=rsa;"}, RecordStatus::ok, ""},
        {"WithoutVersionAndKind", {"p=QUJDREVG"}, RecordStatus::ok, ""},
        {"Testing", {"v=DKIM1; t=y:s; p=QUJDREVG"}, RecordStatus::ok, "t=y"},
        {"ForAll", {"v=DKIM1; s=*; p=QUJDREVG"}, RecordStatus::ok, ""},
        {"None", {}, RecordStatus::missing, "no DKIM record"},
        {"Two", {"v=DKIM1; p=QUJDREVG", "v=DKIM1; p=QUJDREVG"}, RecordStatus::wrong, "more than one"},
        {"OtherKey", {"v=DKIM1; k=rsa; p=QUJDREVH"}, RecordStatus::wrong, "another key"},
        {"KeyCut", {"v=DKIM1; k=rsa; p=QUJDRE"}, RecordStatus::wrong, "another key"},
        {"KeyInAnotherCase", {"v=DKIM1; k=rsa; p=qujdrevg"}, RecordStatus::wrong, "another key"},
        {"OtherKind", {"v=DKIM1; k=ed25519; p=QUJDREVG"}, RecordStatus::wrong, "another kind"},
        {"Revoked", {"v=DKIM1; k=rsa; p="}, RecordStatus::wrong, "revoked"},
        {"NoKey", {"v=DKIM1; k=rsa"}, RecordStatus::wrong, "no key"},
        {"OtherVersion", {"v=DKIM2; p=QUJDREVG"}, RecordStatus::wrong, "v=DKIM1"},
        {"VersionNotFirst", {"k=rsa; v=DKIM1; p=QUJDREVG"}, RecordStatus::wrong, "v=DKIM1"},
        {"Sha1Only", {"v=DKIM1; h=sha1; p=QUJDREVG"}, RecordStatus::wrong, "sha256"},
        {"NotForMail", {"v=DKIM1; s=tlsrpt; p=QUJDREVG"}, RecordStatus::wrong, "mail"},
        {"TagTwice", {"v=DKIM1; p=QUJDREVG; p=QUJDREVG"}, RecordStatus::wrong, "list of tags"},
        {"NotTags", {"hello"}, RecordStatus::wrong, "list of tags"},
        {"EscapedSemicolons", {"v=DKIM1\\; k=rsa\\; p=QUJDREVG"}, RecordStatus::wrong, ""},
    };
    for (const DkimCase& row : rows) {
        const Judgement judgement = judge_dkim(row.texts, key);
        EXPECT_EQ(name_of(judgement.status), name_of(row.status)) << row.name << ": " << judgement.detail;
        EXPECT_NE(judgement.detail.find(row.detail), std::string::npos) << row.name << ": " << judgement.detail;
    }
    const DkimRecord edwards{"pm2", DkimAlgorithm::ed25519, "QUJD"};
    EXPECT_EQ(judge_dkim(std::vector<std::string>{"v=DKIM1; k=ed25519; p=QUJD"}, edwards).status, RecordStatus::ok);
    EXPECT_EQ(judge_dkim(std::vector<std::string>{"v=DKIM1; p=QUJD"}, edwards).status,
              RecordStatus::wrong); // rsa by default
}

TEST(JudgeDmarc, AnyPolicyThatExistsWillDo)
{
    const std::vector<DkimCase> rows = {
        {"None", {"v=DMARC1; p=none"}, RecordStatus::ok, ""},
        {"Strict", {"v=DMARC1;p=reject;adkim=s;aspf=s;rua=mailto:d@example.com"}, RecordStatus::ok, ""},
        {"AnyCase", {" v = DMARC1 ; p=Quarantine "}, RecordStatus::ok, ""},
        {"Absent", {}, RecordStatus::missing, "Google"},
        {"OtherText", {"p=none", "v=spf1 -all"}, RecordStatus::missing, ""},
        {"Two", {"v=DMARC1; p=none", "v=DMARC1; p=reject"}, RecordStatus::wrong, "more than one"},
        {"NoPolicy", {"v=DMARC1; rua=mailto:d@example.com"}, RecordStatus::wrong, "no policy"},
        {"OtherPolicy", {"v=DMARC1; p=block"}, RecordStatus::wrong, "block"},
        {"NotTags", {"v=DMARC1; p"}, RecordStatus::wrong, "list of tags"},
    };
    for (const DkimCase& row : rows) {
        const Judgement judgement = judge_dmarc(row.texts);
        EXPECT_EQ(name_of(judgement.status), name_of(row.status)) << row.name << ": " << judgement.detail;
        EXPECT_NE(judgement.detail.find(row.detail), std::string::npos) << row.name << ": " << judgement.detail;
    }
}

TEST(JudgeMx, OursMustBeTheBestAlone)
{
    const DomainName host = domain("bounces.sender.example");
    const auto status = [&](const std::vector<dns::MxRecord>& records) { return judge_mx(records, host).status; };
    EXPECT_EQ(status({{10, "bounces.sender.example"}}), RecordStatus::ok);
    EXPECT_EQ(status({{20, "mail.example.com"}, {10, "bounces.sender.example"}}), RecordStatus::ok);
    EXPECT_EQ(status({}), RecordStatus::missing);
    EXPECT_EQ(status({{10, "mail.example.com"}}), RecordStatus::wrong);
    EXPECT_EQ(status({{10, "mail.example.com"}, {20, "bounces.sender.example"}}), RecordStatus::wrong);
    EXPECT_EQ(status({{10, "mail.example.com"}, {10, "bounces.sender.example"}}), RecordStatus::wrong);
    EXPECT_EQ(status({{0, ""}}), RecordStatus::wrong);
    EXPECT_EQ(judge_mx(std::vector<dns::MxRecord>{{0, ""}}, host).found, (std::vector<std::string>{"0 ."}));
}

TEST(ParseTags, TakesListsOfRfc6376)
{
    EXPECT_EQ(parse_tags(""), std::vector<Tag>{});
    EXPECT_EQ(parse_tags("a=1; b_2 = x y ;"), (std::vector<Tag>{{"a", "1"}, {"b_2", "x y"}}));
    EXPECT_EQ(parse_tags("a="), (std::vector<Tag>{{"a", ""}}));
    EXPECT_EQ(parse_tags("a=b=c"), (std::vector<Tag>{{"a", "b=c"}}));
    for (const char* text : {"a", ";", "a=1;;b=2", "=1", "1a=2", "a b=1", "a=1;a=2"})
        EXPECT_EQ(parse_tags(text), std::nullopt) << text;
    std::string many;
    for (std::size_t i = 0; i <= kTagsMax; ++i) many += "t" + std::to_string(i) + "=1;";
    EXPECT_EQ(parse_tags(many), std::nullopt);
}

} // namespace
} // namespace penguin::control
