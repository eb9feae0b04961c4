"""The audit log out of a running installation, and what `audit verify` says of it whole, changed and cut.

    audit_command_test.py PROGRAM
"""
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import daemon_test  # noqa: E402
from daemon_test import AS_USER, PROGRAM, eventually  # noqa: E402

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def hash_after(before, record):
    """As control/openapi.yaml tells it to whoever checks by himself."""
    time = datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00"))
    microseconds = (time - EPOCH) // datetime.timedelta(microseconds=1)
    fields = [str(record["seq"]), str(microseconds), record["action"], record["actor"], record["tenant_id"] or "", record["resource"],
              record["peer"], record["request_id"], record["detail"]]
    octets = b"".join(b"%d:%s," % (len(field.encode()), field.encode()) for field in fields)
    return hashlib.sha256(before + octets).digest()


class AuditCommandTest(unittest.TestCase):
    setUp = daemon_test.DaemonTest.setUp
    start = daemon_test.DaemonTest.start

    def export(self):
        done = subprocess.run([PROGRAM, "audit", "export", "--config", self.root / "penguin-mta.toml", *AS_USER], check=False,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def verify(self, text, *arguments):
        done = subprocess.run([PROGRAM, "audit", "verify", *arguments], check=False, input=text, capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout

    def make_log(self):
        daemon = self.start().until_ready()
        admin = daemon.admin_key()
        for name in ("acme", "b\u00e9 \"quoted\""):
            self.assertEqual(daemon.call("POST", "/v1/tenants", {"name": name}, admin)[0], 201)
        self.assertEqual(daemon.call("POST", "/v1/pools", {"name": "warm"}, admin)[0], 201)
        self.assertEqual(daemon.call("GET", "/v1/tenants", key="pm_live_wrong")[0], 401)
        return daemon

    def test_a_whole_log(self):
        daemon = self.make_log()
        eventually("the refusal is kept", lambda: "auth.failed" in self.export(), 20)
        text = self.export()
        records = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([record["action"] for record in records],
                         ["platform_key.created", "tenant.created", "tenant.created", "pool.created", "auth.failed"])
        before = bytes(32)
        for record in records:
            before = hash_after(before, record)
            self.assertEqual(record["hash"], before.hex())
        head = f"5:{before.hex()}"
        self.assertEqual(self.verify(text), (0, f"5 records, whole from 1 to 5, head {head}\n"))
        self.assertEqual(self.verify(text, "-", "--head", head)[0], 0)
        kept = self.root / "kept"
        kept.write_text(text)
        self.assertEqual(self.verify("", kept)[0], 0)
        self.assertEqual(daemon.call("GET", "/v1/audit?limit=1", key=daemon.admin_key())[0], 200)

        # What is there when it stops gets written, and the chain goes on after a start.
        self.assertEqual(daemon.call("GET", "/v1/tenants", key="pm_live_wrong")[0], 401)
        self.assertEqual(daemon.stop(), 0, daemon.said())
        daemon = self.start().until_ready()
        longer = self.export()
        self.assertEqual(json.loads(longer.splitlines()[-1])["action"], "auth.failed")
        self.assertEqual(len(longer.splitlines()), 6)
        self.assertEqual(self.verify(longer, "-", "--head", head)[0], 0)
        self.assertEqual(daemon.stop(), 0, daemon.said())

    def test_what_was_changed_or_cut_is_found(self):
        daemon = self.make_log()
        text = self.export()
        self.assertEqual(daemon.stop(), 0, daemon.said())
        lines = text.splitlines(keepends=True)
        self.assertGreaterEqual(len(lines), 4)
        head = self.verify(text)[1].split()[-1]
        for what, changed, said in [
                ("changed", text.replace("tenant.created", "tenant.deleted", 1), "record 2: changed"),
                ("left out", "".join(lines[:1] + lines[2:]), "record 2: missing"),
                ("swapped", "".join([lines[1], lines[0], *lines[2:]]), "record 1: missing or out of order"),
                ("twice", "".join(lines[:2] + lines[1:]), "record 2: comes again"),
                ("no JSON", lines[0] + "x\n", "record 2: no record"),
                ("a line cut", text[:-20], f"record {len(lines)}: no record"),
                ("something added", text.replace('{"seq":2,', '{"seq":2,"note":"x",', 1), "record 2: no record")]:
            with self.subTest(what):
                status, output = self.verify(changed)
                self.assertEqual(status, 1)
                self.assertTrue(output.startswith(said), output)
                self.assertEqual(output.count("\n"), 1)
        cut = "".join(lines[:-1])
        self.assertEqual(self.verify(cut)[0], 0, "the chain alone cannot know")
        status, output = self.verify(cut, "-", "--head", head)
        self.assertEqual((status, output.split(":")[0]), (1, f"record {len(lines)}"))
        self.assertEqual(self.verify("", "-", "--head", head)[0], 1)
        self.assertEqual(self.verify(text, "-", "--head", "5")[0], 1)
        self.assertEqual(self.verify("", self.root / "none")[0], 1)

    def test_what_an_administrator_of_the_database_does_is_found(self):
        daemon = self.make_log()
        subprocess.run(["psql", "-h", self.root / "state" / "run", "-U", "penguin_owner", "-Atqc",
                        "update control.audit set actor = 'somebody' where seq = 3", "postgres"], check=True, capture_output=True,
                       user="postgres" if AS_USER else None, cwd="/")
        text = self.export()
        self.assertEqual(daemon.stop(), 0, daemon.said())
        self.assertIn('"somebody"', text)  # the owner of our own PostgreSQL is a superuser
        self.assertEqual(self.verify(text)[1].split(":")[0], "record 3")

    def test_without_a_database_the_export_says_so(self):
        config = self.root / "away.toml"
        config.write_text(f'[node]\nname = "n"\nstate_dir = "{self.root}/s"\n[database]\ndsn = "host={self.root}/none"\n'
                          f'worker_dsn = "host={self.root}/none"\n')
        config.chmod(0o644)
        done = subprocess.run([PROGRAM, "audit", "export", "--config", config, *AS_USER], check=False, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("audit_not_exported", done.stderr)


if __name__ == "__main__":
    unittest.main()
