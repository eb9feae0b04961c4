#include "bench/sink/abuse_report.h"

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

Complaint complaint(std::string_view text)
{
    return {.provider = "yahoo",
            .from = "fbl@x.example",
            .to = "abuse@us.example",
            .reporting_host = "mx.x.example",
            .source_ip = "192.0.2.1",
            .mail_from = "b-1@s.example",
            .recipient = "who@x.example",
            .text = text,
            .arrived = from_unix_ms(1'764'000'000'000),
            .number = 7};
}

TEST(AbuseReport, TheHeaderEndsAtTheEmptyLine)
{
    EXPECT_EQ(header_of("A: 1\r\nB: 2\r\n\r\nbody\r\n\r\n"), "A: 1\r\nB: 2\r\n");
    EXPECT_EQ(header_of("A: 1\r\n"), "A: 1\r\n");
    EXPECT_EQ(header_of("\r\nbody\r\n"), "");
    EXPECT_EQ(header_of(""), "");
}

// RFC 5965 2: the three parts and what the second must have.
TEST(AbuseReport, HasItsPartsAndFields)
{
    const std::string report = abuse_report(complaint("Subject: hi\r\n\r\nbody\r\n"));
    for (const char* part :
         {"Content-Type: multipart/report; report-type=feedback-report;\r\n", "\r\nMIME-Version: 1.0\r\n",
          "\r\nContent-Type: text/plain; charset=us-ascii\r\n", "\r\nContent-Type: message/feedback-report\r\n",
          "\r\nFeedback-Type: abuse\r\n", "\r\nVersion: 1\r\n", "\r\nOriginal-Mail-From: <b-1@s.example>\r\n",
          "\r\nArrival-Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n", "\r\nSource-IP: 192.0.2.1\r\n",
          "\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: hi\r\n"})
        EXPECT_TRUE(report.contains(part)) << part;
    EXPECT_FALSE(report.contains("body"));
    EXPECT_FALSE(report.contains("Original-Rcpt-To"));
}

TEST(AbuseReport, WhoComplainedIsToldOnlyWhereAsked)
{
    Complaint one = complaint("To: <who@x.example>\r\nX-Id: who@x.example who@x.example\r\n\r\n");
    EXPECT_FALSE(abuse_report(one).contains("who@x.example"));
    EXPECT_TRUE(abuse_report(one).contains("X-Id: redacted redacted\r\n"));
    one.redact = false;
    EXPECT_TRUE(abuse_report(one).contains("\r\nOriginal-Rcpt-To: <who@x.example>\r\n"));
    EXPECT_TRUE(abuse_report(one).contains("To: <who@x.example>\r\n"));
}

TEST(AbuseReport, WhatIsNotAsciiIsMarkedOrLeftOut)
{
    Complaint one = complaint("Subject: gr\xC3\xBC\xC3\x9F\r\n\r\n");
    one.mail_from = "j\xC3\xBCrg@s.example";
    const std::string report = abuse_report(one);
    EXPECT_TRUE(report.contains("text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject"));
    EXPECT_FALSE(report.contains("Original-Mail-From"));
}

} // namespace
} // namespace penguin::bench
