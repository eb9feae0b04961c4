#!/usr/bin/python3
"""penguinctl against a daemon that sends: what people see, what programs read, how errors end, and the live view."""
import json
import os
import pty
import select
import subprocess
import time
import unittest

from scene import BIN, Scene
from world import SENDERS

DOMAIN = SENDERS["acme"]
BATCH = {"template": {"from": {"email": f"sales@{DOMAIN}", "name": "Ann Ot"}, "subject": "Hello {{name}}", "text": "Dear {{name}}\n"},
         "recipients": [{"email": "bob@plain-01.test", "name": "Bob"}, {"email": "not an address", "name": "Nobody"}]}


class Ctl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene("ctl", sites=("plain",))
        cls.scene.__enter__()
        cls.addClassCleanup(cls.scene.__exit__)
        cls.admin, cls.tenant = cls.scene.daemon.admin().token, cls.scene.tenants[0].key["key"]

    def environment(self, key=None, url=None):
        return {"PATH": os.environ["PATH"], "HOME": str(self.scene.home), "PENGUIN_URL": url or self.scene.daemon.url,
                **({"PENGUIN_KEY": key} if key else {})}

    def ctl(self, *words, key=None, status=0, stdin=None, env=None):
        """(stdout, stderr) of one call, which must end with `status`."""
        run = subprocess.run([BIN / "penguinctl", *words], env=env or self.environment(key), input=stdin, capture_output=True, text=True,
                             timeout=120, check=False)
        self.assertEqual(status, run.returncode, f"{words}: {run.stdout}{run.stderr}")
        return run.stdout, run.stderr

    def json(self, *words, key=None, **more):
        return json.loads(self.ctl(*words, "--json", key=key, **more)[0])

    def rows(self, *words, key=None):
        """A table's lines as lists of words."""
        return [line.split() for line in self.ctl(*words, key=key)[0].splitlines()]

    def test_from_nothing_to_a_domain(self):
        tenant = self.json("tenants", "create", "--name", "Grüße & Söhne", "--weight", "2.5", key=self.admin)
        self.assertEqual(("Grüße & Söhne", 2.5, False), (tenant["name"], tenant["weight"], tenant["suspended"]))
        self.assertIn(["weight", "2.5"], self.rows("tenants", "get", tenant["id"], key=self.admin))
        self.assertIn(tenant["id"], [row[0] for row in self.rows("tenants", "list", key=self.admin)])
        key = self.json("tenant-api-keys", "create", tenant["id"], "--name", "backend", "--scopes", "domains:read,domains:write",
                        "--scopes", "suppressions:write,suppressions:read", key=self.admin)["key"]
        shown, _ = self.ctl("domains", "create", "--name", "soehne.example", "--ed25519", key=key)
        self.assertIn("verified        no\n", shown)
        self.assertIn("return_path_mx", shown)
        records = self.json("domains", "get", "soehne.example", key=key)["records"]
        zone, _ = self.ctl("domains", "records", "soehne.example", key=key)
        for record in records:
            self.assertIn(record["presentation"], zone)
        self.assertEqual(3, len(self.rows("domains", "keys", "soehne.example", key=key)), "a title and two keys")
        self.assertIn("verified  no\n", self.ctl("domains", "verify", "soehne.example", key=key)[0])
        self.assertIn(["spf", "ok", "yes"], [row[:3] for row in self.rows("domains", "verify", DOMAIN, key=self.tenant)])
        self.ctl("suppressions", "create", "--address", "a/b?c@example.net", "--reason", "asked", key=key)
        self.assertEqual("taken off\n", self.ctl("suppressions", "delete", "a/b?c@example.net", key=key)[0])
        self.assertEqual("deleted\n", self.ctl("domains", "delete", "soehne.example", key=key)[0])
        version = str(tenant["version"])
        self.ctl("tenants", "update", tenant["id"], "--suspended", "--if-match", version, key=self.admin)
        _, said = self.ctl("tenants", "update", tenant["id"], "--suspended=false", "--if-match", version, key=self.admin, status=1)
        self.assertIn("(precondition_failed)", said)
        self.assertIn("tenant.updated", self.ctl("audit", "list", "--tenant", tenant["id"], key=self.admin)[0])

    def test_a_batch_from_its_file_to_its_events(self):
        shown, _ = self.ctl("batches", "submit", "-", "--idempotency-key", "spring-1", key=self.tenant, stdin=json.dumps(BATCH))
        lines = [line.split(None, 3) for line in shown.splitlines()]
        self.assertEqual([["accepted", "1"], ["refused", "1"]], lines[1:3])
        self.assertEqual(["1", "not", "an", "address"], shown.splitlines()[-1].split()[:4])
        again = self.json("batches", "submit", "-", "--idempotency-key", "spring-1", key=self.tenant, stdin=json.dumps(BATCH))
        batch = lines[0][1]
        self.assertEqual(batch, again["id"], "the key makes it the same batch")
        self.scene.wait_for(lambda: self.json("batches", "get", batch, key=self.tenant)["counts"]["delivered"] == 1, 60, "it is delivered")
        self.assertIn(["delivered", "1"], self.rows("batches", "get", batch, key=self.tenant))
        message, _ = self.ctl("messages", "get", f"{batch}.0", key=self.tenant)
        self.assertIn("state      delivered\n", message)
        events, _ = self.ctl("events", "list", "--batch", batch, "--kind", "delivered", "--json", "--all", "--limit", "1", key=self.tenant)
        self.assertEqual(["bob@plain-01.test"], [json.loads(line)["recipient"] for line in events.splitlines()])
        self.assertIn(["cancelled", "0"], self.rows("batches", "cancel", batch, key=self.tenant))

    def test_rules_from_a_file_to_every_mail_and_back(self):
        own = self.scene.home / "own.toml"
        own.write_text("[[rule]]\nid = 'own'\nsays = 'code 7'\nclass = 'rate_limited'\nwait = '2h'\n")
        self.assertIn(["rules", "of", "the", "file", "1"], self.rows("rules", "check", str(own), key=self.admin))
        self.assertIn(["decided", "by", "transient-reply"], self.rows("rules", "try", "450 code 7", key=self.admin))
        put = self.json("rules", "put", str(own), "--comment", "why not", "--if-match", "0", key=self.admin)
        self.assertEqual((1, "why not"), (put["version"], put["comment"]))
        self.scene.wait_for(lambda: self.json("rules", "list", "--origin", "stored", key=self.admin)["version"] == 1, 10, "it is in force")
        self.assertIn(["decided", "by", "own"], self.rows("rules", "try", "450 code 7", key=self.admin))
        self.assertEqual(own.read_text(), self.ctl("rules", "show", "1", key=self.admin)[0])
        _, said = self.ctl("rules", "put", str(own), "--if-match", "0", key=self.admin, status=1)
        self.assertIn("(precondition_failed)", said)
        own.write_text("[[rule]]\nid = 'own'\ncodes = [250]\nclass = 'rate_limited'\n")
        _, said = self.ctl("rules", "put", str(own), key=self.admin, status=1)
        self.assertIn("rules:3: own: codes: ", said)
        self.assertEqual(2, self.json("rules", "rollback", "0", key=self.admin)["version"])
        self.scene.wait_for(lambda: self.json("rules", "list", "--origin", "stored", key=self.admin)["version"] == 2, 10, "it is in force")
        self.assertEqual([], self.json("rules", "list", "--origin", "stored", key=self.admin)["rules"])
        self.assertEqual(["2", "1"], [row[0] for row in self.rows("rules", "versions", key=self.admin)[1:]])
        self.assertIn("rules.rolled_back", self.ctl("audit", "list", key=self.admin)[0])
        self.assertEqual(7, self.json("rules", "coverage", key=self.admin)["days"])
        self.assertEqual([], self.json("pauses", "list", key=self.admin)["data"])

    def test_every_page_of_a_list(self):
        for number in range(3):
            self.ctl("pools", "create", "--name", f"paged-{number}", key=self.admin)
        page, said = self.ctl("pools", "list", "--limit", "1", key=self.admin)
        self.assertEqual(2, len(page.splitlines()))
        self.assertIn("there is more: --cursor ", said)
        every, said = self.ctl("pools", "list", "--limit", "1", "--all", key=self.admin)
        self.assertEqual("", said)
        self.assertLessEqual({"paged-0", "paged-1", "paged-2"}, {line.split()[0] for line in every.splitlines()})
        self.assertEqual(1, sum(line.startswith("NAME") for line in every.splitlines()))

    def test_refusals_end_with_one_and_say_what_to_do(self):
        _, said = self.ctl("pools", "create", "--name", "Not A Pool", key=self.admin, status=1)
        self.assertRegex(said, r"(?m)^penguinctl: 422 Unprocessable Content \(validation_failed\)\n  name: ")
        _, said = self.ctl("tenants", "list", key=self.tenant, status=1)
        self.assertIn("(platform_required)", said)
        self.assertIn("hint: this is a call of the platform", said)
        problem, said = self.ctl("tenants", "list", "--json", key="pm_live_wrong", status=1)
        self.assertEqual("unauthenticated", json.loads(problem)["code"])
        self.assertNotIn("pm_live_wrong", problem + said)
        _, said = self.ctl("batches", "submit", "-", stdin=json.dumps({**BATCH, "recipients": []}), key=self.tenant, status=1)
        self.assertIn("recipients: ", said)

    def test_wrong_use_ends_with_two_and_nobody_there_with_three(self):
        self.ctl("tenants", "fly", status=2)
        self.ctl("tenants", "list", "--limit", "many", key=self.admin, status=2)
        self.ctl("batches", "submit", "/nonexistent", key=self.tenant, status=2)
        _, said = self.ctl("tenants", "list", env=self.environment(url="http://mta.example.com"), status=2)
        self.assertIn("use https", said)
        _, said = self.ctl("tenants", "list", env=self.environment(url="http://127.0.0.1:1"), status=3)
        self.assertIn("nobody listens there", said)

    def test_a_profile_of_the_file(self):
        config = self.scene.home / "ctl.toml"
        config.write_text(f'default = "demo"\n[profiles.demo]\nurl = "{self.scene.daemon.url}"\nkey = "{self.admin}"\n')
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PENGUINCTL_CONFIG": str(config)}
        config.chmod(0o644)
        _, said = self.ctl("pools", "list", env=env, status=2)
        self.assertIn("others can read it: chmod 600", said)
        self.assertNotIn(self.admin, said)
        config.chmod(0o600)
        self.assertIn("default", self.ctl("pools", "list", env=env)[0])
        self.assertIn("default", self.ctl("--profile", "demo", "pools", "get", "default", env=env)[0])

    def test_health(self):
        self.assertEqual("ok", self.json("health", "ready")["status"])
        self.assertIn(["redis", "ok"], self.rows("health", "ready"))
        self.assertIn("penguin_engine_claiming 1\n", self.ctl("health", "metrics")[0])

    def test_reconciling_waits_while_it_is_not_known_what_nodes_hold(self):   # most of a minute, after the daemon's first start
        said, _ = self.ctl("--retries", "20", "queue", "reconcile", "--pool", "default", key=self.admin)
        self.assertIn(["queued", "again", "0"], [line.split()[-3:] for line in said.splitlines()])

    def test_top_once(self):
        frame, _ = self.ctl("top", "--once", "--interval-s", "0.2")
        self.assertRegex(frame, r"^claiming yes   in hand \d+   connections \d+   journal \S+ \w+   settings version \d+\n")
        self.assertRegex(frame, r"(?m)^delivered +\d+\.\d +\d")
        self.assertRegex(frame, r"(?m)^default +\d")
        self.assertNotIn("\x1b", frame, "no terminal, no escapes")

    def test_top_on_a_terminal_until_q(self):
        process, screen = pty.fork()
        if process == 0:
            os.execve(BIN / "penguinctl", ["penguinctl", "top", "--interval-s", "0.2"], self.environment())
        shown, deadline = b"", time.monotonic() + 60
        try:
            while shown.count(b"claiming yes") < 3 and time.monotonic() < deadline:
                if select.select([screen], [], [], 1)[0]:
                    shown += os.read(screen, 65536)
            self.assertGreaterEqual(shown.count(b"claiming yes"), 3, shown)
            os.write(screen, b"q")
            while b"\x1b[?1049l" not in shown and time.monotonic() < deadline:
                if select.select([screen], [], [], 1)[0]:
                    shown += os.read(screen, 65536)
            self.assertTrue(shown.startswith(b"\x1b[?1049h"), shown[:40])
            self.assertIn(b"\x1b[?25h\x1b[?1049l", shown, "the screen is given back")
            self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
        finally:
            os.close(screen)


if __name__ == "__main__":
    unittest.main()
