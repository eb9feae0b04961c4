#!/usr/bin/python3
"""penguin-bench sink as a program: a provider's days, its reputations in the counts, and reports of complaints as another parser reads them.

    in    PENGUIN_BIN, the folder of the built programs; PENGUIN_PROFILES, bench/profiles
"""
import email
import email.policy
import json
import os
import pathlib
import signal
import smtplib
import subprocess
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(os.environ["PENGUIN_BIN"]) / "penguin-bench"
PROFILES = pathlib.Path(os.environ["PENGUIN_PROFILES"])
SOON_S = 20  # far beyond what anything here needs

COMPLAINING = """
name = "complaining"
[reputation]
first-day = 100
[reputation.medium]
complained = 1.0
[reputation.address]
throttled-reply = "421 4.7.28 slow down"
deferred-reply = "421 4.7.0 later"
blocked-reply = "550 5.7.1 never"
[reports]
from = "fbl@provider.example"
redact = {redact}
"""

MESSAGE = (
    "From: Somebody <from@s.example>\r\n"
    "To: <who@x.example>\r\n"
    "Subject: A long subject that is folded, as they are,\r\n over two lines\r\n"
    "Message-ID: <{number}@s.example>\r\n"
    "X-Campaign: {number}\r\n"
    "Feedback-ID: c{number}:t1:s.example:penguin\r\n"
    "\r\n"
    ".nobody reports this\r\n"
)


class Sink:
    def __init__(self, test, *options):
        command = [PROGRAM, "sink", "--listen", "127.0.0.1:0", "--no-tls", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.end)
        line = self.process.stdout.readline().split()
        test.assertEqual(["listening", "127.0.0.1"], line[:2], line)
        self.port = int(line[2])
        test.assertEqual("ready\n", self.process.stdout.readline())

    def counts(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def send(self, number):
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.sendmail("from@s.example", ["who@x.example"], MESSAGE.format(number=number))

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=SOON_S)


def until(condition):
    end = time.monotonic() + SOON_S
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


class SinkVerbTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sink-verb-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def profile(self, redact="true"):
        file = self.folder / "profile.toml"
        file.write_text(COMPLAINING.format(redact=redact))
        return ["--profile", file]

    def check(self, octets, redacted):
        report = email.message_from_bytes(octets, policy=email.policy.default)
        self.assertEqual("multipart/report", report.get_content_type())
        self.assertEqual("feedback-report", report.get_param("report-type"))
        self.assertEqual("fbl@provider.example", report["From"].addresses[0].addr_spec)
        self.assertTrue(report["Message-ID"] and report["Date"].datetime)
        self.assertEqual([], [defect for part in report.walk() for defect in part.defects])
        text, feedback, header = report.iter_parts()
        self.assertEqual("text/plain", text.get_content_type())
        self.assertEqual("message/feedback-report", feedback.get_content_type())
        self.assertEqual("text/rfc822-headers", header.get_content_type())
        fields = feedback.get_payload()[0]
        self.assertEqual("abuse", fields["Feedback-Type"])
        self.assertEqual("1", fields["Version"])
        self.assertEqual("127.0.0.1", fields["Source-IP"])
        self.assertEqual("<from@s.example>", fields["Original-Mail-From"])
        self.assertEqual(None if redacted else "<who@x.example>", fields["Original-Rcpt-To"])
        original = email.message_from_string(header.get_content(), policy=email.policy.default)
        number = original["X-Campaign"]
        self.assertEqual(f"<{number}@s.example>", original["Message-ID"])
        self.assertEqual("A long subject that is folded, as they are, over two lines", original["Subject"])
        self.assertEqual(f"c{number}:t1:s.example:penguin", original["Feedback-ID"])
        self.assertEqual(redacted, b"who@x.example" not in octets)
        self.assertNotIn(b"nobody reports this", octets)
        return number

    def test_complaints_are_files_and_mail_that_another_parser_reads(self):
        kept, files = self.folder / "kept", self.folder / "files"
        taker = Sink(self, "--keep", kept)
        via = ["--reports-via", f"127.0.0.1:{taker.port}", "--reports-to", "abuse@us.example"]
        provider = Sink(self, *self.profile(), "--reports", files, *via)
        for number in range(3):
            provider.send(number)
        self.assertEqual({"written": 3, "failed": 0, "over_the_bounds": 0}, {k: v for k, v in provider.counts()["reports"].items() if k != "sent"})
        self.assertTrue(until(lambda: provider.counts()["reports"]["sent"] == 3))
        for folder in (files, kept):
            numbers = [self.check(file.read_bytes(), True) for file in folder.glob("*.eml")]
            self.assertEqual(["0", "1", "2"], sorted(numbers))
        envelope = json.loads(next(kept.glob("*.json")).read_text())
        self.assertEqual(["fbl@provider.example", ["abuse@us.example"]], [envelope["mail_from"], envelope["rcpt"]])

    def test_a_profile_may_tell_who_complained(self):
        provider = Sink(self, *self.profile(redact="false"), "--reports", self.folder / "files")
        provider.send(5)
        [file] = (self.folder / "files").glob("*.eml")
        self.assertEqual("5", self.check(file.read_bytes(), False))

    def test_the_counts_tell_reputations_and_days_pass_quickly(self):
        provider = Sink(self, *self.profile(), "--day-seconds", "1")
        provider.send(1)
        self.assertTrue(until(lambda: provider.counts()["reputation"]["day"] >= 3))
        [sender] = provider.counts()["reputation"]["addresses"]["poorest"]
        self.assertEqual(["127.0.0.1", 1, 1], [sender[key] for key in ("name", "delivered", "complaints")])
        self.assertEqual(0, sender["sent_today"])

    def test_options_that_do_not_go_together_are_refused(self):
        paced = self.folder / "paced.toml"
        paced.write_text('name = "x"\npace.per-s = 5\n')
        for options, said in (
            (["--day-seconds", "60"], "--day-seconds, --hostile-from-day and --first-day go with --profile"),
            (["--day-seconds", "60", "--profile", paced], "--day-seconds does not go with a profile that has a pace"),
            (["--hostile-from-day", "8", "--profile", PROFILES / "postfix.toml"], "--hostile-from-day and --first-day go with a profile that has reputation"),
            (["--reports", self.folder, "--profile", PROFILES / "gmail.toml"], "reports need a profile with reputation and reports"),
            ([*self.profile(), "--reports-to", "a@x.example"], "--reports-to goes with --reports-via"),
            ([*self.profile(), "--reports-via", "127.0.0.1:25"], "reports by mail need an address"),
            ([*self.profile(), "--reports-via", "127.0.0.1"], "--reports-via"),
        ):
            done = subprocess.run([PROGRAM, "sink", "--listen", "127.0.0.1:0", *options], capture_output=True, text=True, timeout=SOON_S)
            self.assertEqual(1, done.returncode, options)
            self.assertIn(said, done.stderr)

    def test_a_hostile_provider_allows_less(self):
        provider = Sink(self, *self.profile(), "--hostile-from-day", "1", "--first-day", "200")
        provider.send(1)
        [sender] = provider.counts()["reputation"]["addresses"]["poorest"]
        self.assertEqual([0.25, 50], [sender["limits_share"], sender["allowed_today"]])


if __name__ == "__main__":
    unittest.main()
