"""What `penguin-mta rules` says of files and of replies.

    rules_command_test.py PROGRAM REPLIES     REPLIES: tests/engine/policy/replies
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM, REPLIES = sys.argv[1], pathlib.Path(sys.argv[2])

OWN = """
[[provider]]
name = "acme"
mx = "mx.acme.example"

[[rule]]
id = "acme-7"
provider = "acme"
codes = [554]
says = 'code 7'
class = "recipient_rate"
kind = "retry"
wait = "2h"
life = "1d"
reactions = [{ do = "pause", scope = "lane", for = "1h", count = 3, within = "1h" }]
verified = false
note = "Heard of."

[[rule]]
id = "gmail-4.7.28"
off = true
"""


def run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def said(*arguments):
    """Exit status, and {name: [what the rows of that name say]}."""
    status, out, _ = run("rules", "try", *arguments)
    rows = {}
    for line in out.splitlines():
        rows.setdefault(line[:10].strip(), []).append(line[11:])
    return status, rows


def cases():
    for file in sorted(REPLIES.glob("*.txt")):
        lines = file.read_text(encoding="utf-8").splitlines()
        for at in range(0, len(lines), 4):
            yield f"{file.name}:{at + 1}", *lines[at:at + 3]


class RulesTry(unittest.TestCase):
    def test_each_reply_that_is_known(self):
        count = 0
        for name, who, reply, expected in cases():
            provider, phase = who.split()
            arguments = [reply, "--phase", phase] + ([] if provider == "-" else ["--provider", provider])
            status, rows = said(*arguments)
            verdict, *reactions = expected.split("; ")
            rule, klass, kind, *_ = verdict.split()
            with self.subTest(name):
                self.assertEqual(0, status)
                self.assertEqual(([rule], [klass]), (rows["rule"], rows["class"]))
                self.assertTrue(rows["message"][0].startswith(kind), rows["message"])
                self.assertEqual(" suppress" in verdict, "suppressed" in rows["message"][0])
                self.assertEqual(reactions, rows.get("reaction", []))
            count += 1
        self.assertGreaterEqual(count, 180)

    def test_says_why_and_what_stands_behind(self):
        status, rows = said("421-4.7.28 [192.0.2.1] unusual rate of mail from your IP address,\n421 4.7.28 of a@b.example", "--provider", "gmail",
                            "--phase", "mail")
        self.assertEqual(0, status)
        self.assertEqual(["gmail-4.7.28-ip"], rows["rule"])
        self.assertEqual(["provider gmail; code 421 is in 421; enhanced code 4.7.28 is in 4.7.28; it says /unusual rate/; it says "
                          "/your ip address/"], rows["because"])
        self.assertEqual(["gmail-4.7.28"], rows["behind it"])
        self.assertEqual(["421 4.7.28 [{ip}] unusual rate of mail from your ip address, of {address}"], rows["read as"])

    def test_what_no_rule_knows_is_decided_by_its_codes(self):
        status, rows = said("550 5.7.1 no", "--provider", "gmail")
        self.assertEqual(2, status)
        self.assertEqual((["none: the codes decide"], ["policy_refused"], ["bounce"]), (rows["rule"], rows["class"], rows["message"]))
        status, rows = said("450 come back in 15 minutes")
        self.assertEqual((2, ["retry, not before 15m"]), (status, rows["message"]))

    def test_wrong_input_is_said(self):
        for arguments, text in [(["hello"], "must begin with its code"), (["250 ok"], "rules are for refusals"),
                                (["421-a\n450 b"], "the code changes"), (["421 a", "--provider", "x"], 'nobody knows "x"'),
                                (["421 a", "--rules", "/nonexistent"], "/nonexistent: "), ([""], "must begin with its code")]:
            status, out, _ = run("rules", "try", *arguments)
            self.assertEqual(1, status, arguments)
            self.assertIn(text, out)
        status, _, err = run("rules", "try", "421 a", "--phase", "connect")
        self.assertGreater(status, 2)
        self.assertIn("not in {tls,greeting,ehlo,mail,rcpt,data,body}", err)


class OwnRules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.file = self.root / "own.toml"
        self.file.write_text(OWN)

    def test_check(self):
        shipped = int(run("rules", "check", self.empty())[1].split()[1])
        status, out, _ = run("rules", "check", str(self.file))
        self.assertEqual((0, f"ok: {shipped} rules and 29 providers, the shipped ones with them\n"), (status, out))
        self.file.write_text(OWN + "[[rule]]\nid = 'x'\ncodes = [250]\nclass = 'bad'\n")
        status, out, _ = run("rules", "check", str(self.file))
        self.assertEqual(1, status)
        self.assertEqual(2, len(out.splitlines()), out)
        self.assertIn("own.toml:24: x: codes: ", out)

    def empty(self):
        file = self.root / "empty.toml"
        file.write_text("")
        return str(file)

    def test_try(self):
        status, rows = said("554 code 7", "--provider", "acme", "--rules", str(self.file))
        self.assertEqual(0, status)
        self.assertEqual((["acme-7"], ["retry, not before 2h, until 1d after its acceptance"], ["3/1h pause lane 1h"], ["Heard of."]),
                         (rows["rule"], rows["message"], rows["reaction"], rows["note"]))
        self.assertIn("unverified", rows)
        self.assertEqual(2, said("421 4.7.28 x", "--provider", "gmail", "--rules", str(self.file))[0])

    def test_the_configuration_names_them(self):
        config = self.root / "penguin-mta.toml"
        config.write_text(f'[delivery]\nrules_file = "{self.file}"\n')
        self.assertEqual((0, "ok\n"), run("check-config", str(config))[:2])
        self.file.write_text("[[rule]]\nid = 'x'\n")
        status, _, err = run("check-config", str(config))
        self.assertEqual(1, status)
        self.assertIn("delivery.rules_file: ", err)
        self.assertIn("own.toml:1: x: class: is needed", err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
