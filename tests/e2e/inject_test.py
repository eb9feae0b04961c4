#!/usr/bin/python3
"""The platform client's call, replayed with curl as that client makes it: probe, raw string, object with substitutions."""
import email
import email.policy
import json
import subprocess
import unittest

from scene import Scene
import signatures  # scene knows where it is
from world import SENDERS

DOMAIN = SENDERS["acme"]

RAW_CALL = {  # bare LF, no Date, no Message-ID
    "envelope_sender": f"sales@{DOMAIN}",
    "content": f"From: \"Ann Ot\" <sales@{DOMAIN}>\nTo: {{{{email}}}}\nSubject: Hello {{{{name}}}}\nMIME-Version: 1.0\n"
               "Content-Type: text/html; charset=utf-8\n\n<p>Dear {{name}}</p>\n.\n<p>Bye</p>\n",
    "recipients": [{"email": "bob@plain-01.test", "name": "Bob", "substitutions": {}},
                   {"email": "eve@plain-02.test", "name": "Eve <&>", "substitutions": {}}],
}

OBJECT_CALL = {
    "envelope_sender": f"sales@{DOMAIN}",
    "content": {"from": {"email": f"sales@{DOMAIN}", "name": "Ann Ot"}, "reply_to": {"email": f"answers@{DOMAIN}"},
                "subject": "Grüße an {{name}}", "text_body": "Hi {{name}}, {{offer}}", "html_body": "<p>Hi {{name}}, {{offer}}</p>",
                "headers": {"X-Order": "{{order}}"},
                "attachments": [{"data": "aGVsbG8=", "content_type": "text/plain", "file_name": "note.txt", "base64": True}]},
    "substitutions": {"offer": "10 % off", "order": "1"},
    "recipients": [{"email": "kim@plain-03.test", "name": "Kim", "substitutions": {"order": "42"}},
                   {"email": "not an address", "name": "Nobody"}],
}


class Inject(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene("inject", sites=("plain",))
        cls.scene.__enter__()
        cls.addClassCleanup(cls.scene.__exit__)
        cls.tenant = cls.scene.tenants[0]

    def curl(self, *options, body=None, user=None):
        """(status, parsed answer), by the client's own kind of call: JSON and Basic auth."""
        command = ["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", *options, f"{self.scene.daemon.url}/api/inject/v1"]
        if user:
            command += ["-u", user]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
        run = subprocess.run(command, input=json.dumps(body) if body is not None else None, capture_output=True, text=True, timeout=60)
        self.assertEqual(0, run.returncode, run.stderr)
        text, _, status = run.stdout.rpartition("\n")
        return int(status), json.loads(text) if text else None

    def user(self):
        return f"{self.tenant.key['id']}:{self.tenant.key['secret']}"

    def message_to(self, recipient):
        self.scene.world.sinks["plain"].wait_for(recipient)
        (raw,) = self.scene.world.sinks["plain"].messages_to(recipient)
        self.assertNotIn(b"\n", raw.replace(b"\r\n", b""), "every line ends in CRLF")
        self.assertEqual((1, 1, []), signatures.check([(recipient, raw)], self.scene.world.nameserver.txt))
        return email.message_from_bytes(raw, policy=email.policy.default)

    def test_the_probe_needs_no_credentials(self):
        status, _ = self.curl("-X", "OPTIONS")
        self.assertIn(status, (200, 204))

    def test_raw_string(self):
        status, answer = self.curl(body=RAW_CALL, user=self.user())
        self.assertEqual(200, status, answer)
        self.assertEqual((2, 0, [], []), tuple(answer[k] for k in ("success_count", "fail_count", "failed_recipients", "errors")))
        self.assertEqual(2, len(set(answer["message_ids"])))
        bob, eve = self.message_to("bob@plain-01.test"), self.message_to("eve@plain-02.test")
        self.assertEqual(("Hello Bob", "bob@plain-01.test"), (bob["Subject"], bob["To"]))
        self.assertEqual("<p>Dear Bob</p>\n.\n<p>Bye</p>\n", bob.get_content().replace("\r\n", "\n"))
        self.assertIn("Dear Eve &lt;&amp;&gt;", eve.get_content(), "values are escaped in HTML")
        for message in (bob, eve):
            self.assertIsNotNone(message["Date"])
            self.assertIsNotNone(message["Message-ID"])
        self.assertNotEqual(bob["Message-ID"], eve["Message-ID"])

    def test_object_with_substitutions_and_a_refused_recipient(self):
        status, answer = self.curl(body=OBJECT_CALL, user=self.user())
        self.assertEqual(200, status, answer)
        self.assertEqual((1, 1, ["not an address"]), tuple(answer[k] for k in ("success_count", "fail_count", "failed_recipients")))
        self.assertEqual(1, len(answer["errors"]))
        kim = self.message_to("kim@plain-03.test")
        self.assertEqual(("Grüße an Kim", "42", f"answers@{DOMAIN}"), (kim["Subject"], kim["X-Order"], kim["Reply-To"]))
        self.assertEqual("Hi Kim, 10 % off", kim.get_body(("plain",)).get_content().strip())
        self.assertEqual("<p>Hi Kim, 10 % off</p>", kim.get_body(("html",)).get_content().strip())
        self.assertEqual(["note.txt"], [part.get_filename() for part in kim.iter_attachments()])

    def test_wrong_credentials(self):
        for user in (None, f"{self.tenant.key['id']}:wrong", "nobody:nothing"):
            with self.subTest(user=user):
                status, answer = self.curl(body=RAW_CALL, user=user)
                self.assertEqual((401, "unauthenticated"), (status, answer["code"]))

    def test_a_from_domain_of_another_tenant(self):
        call = json.loads(json.dumps(RAW_CALL).replace(DOMAIN, SENDERS["globex"]))
        status, answer = self.curl(body=call, user=self.user())
        self.assertEqual((422, "domain_not_verified"), (status, answer["code"]))

    def test_a_dialect_that_we_do_not_speak(self):
        status, answer = self.curl(body={**RAW_CALL, "template_dialect": "Handlebars"}, user=self.user())
        self.assertEqual((422, "unsupported_template_dialect"), (status, answer["code"]))


if __name__ == "__main__":
    unittest.main()
