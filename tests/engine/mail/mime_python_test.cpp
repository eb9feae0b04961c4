// Rendered messages, read by python3's email package: what a mail program sees is what the content said.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/mail/base64.h"
#include "tests/engine/mail/messages.h"

namespace penguin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// What is expected of one message, as check_messages.py reads it.
struct Expected {
    std::string subject;
    std::string to_name;
    std::vector<std::pair<std::string, std::string>> texts; // type, text with LF line ends
    std::vector<Attachment> attachments;
    std::string structure; // "multipart/mixed(text/plain application/pdf)"
};

class MimePython : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (fs::temp_directory_path() / "penguin-mime-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    void TearDown() override { fs::remove_all(folder_); }

    void add(const std::string& name, const Content& content, const std::string& vars, const Expected& expected)
    {
        json::array texts;
        for (const auto& [type, text] : expected.texts) texts.push_back(json::array{type, text});
        json::array attachments;
        for (const Attachment& one : expected.attachments)
            attachments.push_back(json::array{one.file_name, one.content_type, to_base64(one.data), one.content_id});
        std::ofstream{folder_ / (name + ".json")} << json::serialize(json::object{{"subject", expected.subject},
                                                                                  {"to_name", expected.to_name},
                                                                                  {"texts", texts},
                                                                                  {"attachments", attachments},
                                                                                  {"structure", expected.structure}});
        std::ofstream{folder_ / (name + ".eml"), std::ios::binary} << message_for(content, vars);
        ++messages_;
    }

    std::string python_says() const
    {
        const std::string command = "/usr/bin/python3 " MIME_CHECK_MESSAGES " " + folder_.string() + " 2>&1";
        FILE* pipe = ::popen(command.c_str(), "r"); // NOLINT: a fixed command of ours
        std::string said;
        char chunk[512];
        while (std::fgets(chunk, sizeof chunk, pipe) != nullptr) said += chunk;
        ::pclose(pipe);
        return said;
    }

    static std::string message_for(const Content& content, const std::string& vars)
    {
        return tests::message_for(content, vars);
    }

    fs::path folder_;
    std::size_t messages_ = 0;
};

TEST_F(MimePython, ReadsWhatTheContentSaid)
{
    TemplateContent content = tests::template_content();
    add("plain", content, R"({"name":"Ann"})",
        {"Hello Ann", "Ann", {{"text/plain", "Hi Ann, ann@example.org\n"}}, {}, "text/plain"});
    add("names", content, R"({"name":"Lee, \"Zoë\" \\ <x@y>"})",
        {"Hello Lee, \"Zo\xC3\xAB\" \\ <x@y>",
         "Lee, \"Zo\xC3\xAB\" \\ <x@y>",
         {{"text/plain", "Hi Lee, \"Zo\xC3\xAB\" \\ <x@y>, ann@example.org\n"}},
         {},
         "text/plain"});

    content.html = "<p>caf\xC3\xA9 = {{name}}</p>  \n" + std::string(2000, 'x') + "\n";
    const std::string html = "<p>caf\xC3\xA9 = A&amp;B</p>  \n" + std::string(2000, 'x') + "\n";
    add("alternative", content, R"({"name":"A&B"})",
        {"Hello A&B",
         "A&B",
         {{"text/plain", "Hi A&B, ann@example.org\n"}, {"text/html", html}},
         {},
         "multipart/alternative(text/plain text/html)"});

    const std::string octets = [] {
        std::string out;
        for (int i = 0; i < 3000; ++i) out += static_cast<char>(i * 7);
        return out;
    }();
    const Attachment pdf{"r\xC3\xA9sum\xC3\xA9 \"final\"; 100%.pdf", "application/pdf", octets, ""};
    const Attachment empty{"empty.txt", "text/plain", "", ""};
    const Attachment logo{"logo.png", "image/png", "\x89PNG\r\n", "logo@example.com"};
    const Attachment snow{std::string(60, 'x') + "\xE2\x98\x83\xE2\x98\x83.bin", "application/octet-stream",
                          "--=_x\n.\n", ""};
    content.attachments = {pdf, empty, logo, snow};
    add("everything", content, R"({"name":"A&B"})",
        {"Hello A&B",
         "A&B",
         {{"text/plain", "Hi A&B, ann@example.org\n"}, {"text/html", html}},
         {logo, pdf, empty, snow},
         "multipart/mixed(multipart/related(multipart/alternative(text/plain text/html) image/png) application/pdf "
         "text/plain "
         "application/octet-stream)"});

    content = tests::template_content();
    content.html = content.text;
    content.text.clear();
    content.attachments = {logo};
    add("html-and-image", content, R"({"name":"Ann"})",
        {"Hello Ann",
         "Ann",
         {{"text/html", "Hi Ann, ann@example.org\n"}},
         {logo},
         "multipart/related(text/html image/png)"});

    content = tests::template_content();
    content.text = "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82, {{name}}!\n\n. \nFrom here\n";
    content.subject = "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 {{name}} {{name}} {{name}}";
    content.attachments = {pdf};
    const std::string ivan = "\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD \xE2\x98\x83";
    const std::string privet = "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82";
    add("base64-text", content, R"({"name":")" + ivan + "\"}",
        {privet + " " + ivan + " " + ivan + " " + ivan,
         ivan,
         {{"text/plain", privet + ", " + ivan + "!\n\n. \nFrom here\n"}},
         {pdf},
         "multipart/mixed(text/plain application/pdf)"});

    RawContent raw =
        raw_from_client(
            "From: Sales <sales@example.com>\nTo: \"{{name}}\" <{{email}}>\nSubject: Hi {{name}}\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nDear {{name}},\n\n\xE2\x98\x83\n")
            .value();
    raw.has_variables = true;
    add("raw", raw, R"({"name":")" + ivan + "\"}",
        {"Hi " + ivan, ivan, {{"text/plain", "Dear " + ivan + ",\n\n\xE2\x98\x83\n"}}, {}, "text/plain"});

    EXPECT_EQ(python_says(), std::to_string(messages_) + " messages, 0 wrong\n");
}

TEST_F(MimePython, NoticesAWrongMessage)
{
    add("wrong", tests::template_content(), R"({"name":"Ann"})", {"Hello Bob", "Ann", {}, {}, "text/plain"});
    EXPECT_TRUE(python_says().ends_with("1 messages, 1 wrong\n"));
}

} // namespace
} // namespace penguin
