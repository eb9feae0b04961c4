"""A key-encryption key is changed while the daemon runs: by the program, on its own stores, as packaging/README.md says.

    rotate_kek_test.py PROGRAM
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import daemon_test  # noqa: E402
from daemon_test import AS_USER, PROGRAM  # noqa: E402

USER = "postgres" if os.geteuid() == 0 else None


def key_id(key):
    """What the program calls a key: HKDF-SHA-256 (RFC 5869) without a salt, label key-id, eight octets."""
    secret = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(secret, b"penguin-mta/1/key-id\x01", hashlib.sha256).digest()[:8].hex()


class RotateTest(unittest.TestCase):
    start = daemon_test.DaemonTest.start

    def setUp(self):
        daemon_test.DaemonTest.setUp(self)
        self.keys = self.root / "encryption-keys"

    def write_keys(self, *keys):
        aside = self.root / "next"
        aside.write_text("".join(base64.b64encode(key).decode() + "\n" for key in keys))
        aside.chmod(0o600)
        if USER:
            shutil.chown(aside, USER)
        aside.rename(self.keys)

    def rotate(self):
        return subprocess.run([PROGRAM, "rotate-kek", "--config", self.root / "penguin-mta.toml", *AS_USER], check=False,
                              capture_output=True, text=True, timeout=60)

    def wrapped_by(self):
        """The ids of the keys that have wrapped what lies in the database."""
        query = "select distinct encode(substring(sealed from 2 for 8), 'hex') from control.dkim_keys"
        found = subprocess.run(["psql", "-h", self.root / "state" / "run", "-U", "penguin_owner", "-Atc", query, "postgres"], check=True,
                               capture_output=True, text=True, user=USER, cwd="/")
        return found.stdout.split()

    def make_domain(self, daemon, key, name):
        status, body = daemon.call("POST", "/v1/domains", {"name": name}, key)
        self.assertEqual(status, 201, body)

    def make_tenant(self, daemon):
        admin = daemon.admin_key()
        tenant = json.loads(daemon.call("POST", "/v1/tenants", {"name": "acme"}, admin)[1])["id"]
        status, body = daemon.call("POST", "/v1/sources", {"address": "192.0.2.10", "ehlo_name": "mta.example.com",
                                                           "pool": "default", "node": "test-node"}, admin)
        self.assertEqual(status, 201, body)
        status, body = daemon.call("POST", f"/v1/tenants/{tenant}/api-keys",
                                   {"name": "k", "scopes": ["domains:write", "domains:read"]}, admin)
        self.assertEqual(status, 201, body)
        return json.loads(body)["key"]

    def test_while_the_daemon_runs(self):
        old, new = b"o" * 32, b"n" * 32
        daemon = self.start().until_ready()
        master = (self.root / "state" / "master.key").read_bytes()
        key = self.make_tenant(daemon)
        self.make_domain(daemon, key, "one.example")
        self.assertEqual(self.wrapped_by(), [key_id(master)])
        self.assertEqual(self.rotate().returncode, 1)  # there is no file of keys yet
        self.assertEqual(daemon.stop(), 0)

        self.write_keys(old)
        daemon = self.start(f'[keys]\nencryption_keys_file = "{self.keys}"\n').until_ready()
        self.make_domain(daemon, key, "two.example")
        first = self.rotate()
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("wrapped=1 left=0", first.stderr)
        self.assertEqual(self.wrapped_by(), [key_id(old)])

        self.write_keys(new, old)
        self.make_domain(daemon, key, "three.example")
        self.assertEqual(sorted(self.wrapped_by()), sorted([key_id(old), key_id(new)]))
        second = self.rotate()
        self.assertIn("wrapped=2 left=0", second.stderr)
        self.assertIn("wrapped=0 left=0", self.rotate().stderr)
        self.assertEqual(self.wrapped_by(), [key_id(new)])

        self.write_keys(new)
        self.make_domain(daemon, key, "four.example")
        self.assertEqual(self.wrapped_by(), [key_id(new)])
        self.assertEqual(daemon.stop(), 0, daemon.said())
        self.assertNotIn(base64.b64encode(new).decode(), daemon.said() + second.stderr)

    def test_a_lost_key_is_named_and_nothing_is_made(self):
        self.write_keys(b"o" * 32)
        daemon = self.start(f'[keys]\nencryption_keys_file = "{self.keys}"\n').until_ready()
        self.make_domain(daemon, self.make_tenant(daemon), "one.example")
        self.write_keys(b"n" * 32)
        master = self.root / "state" / "master.key"
        shutil.move(master, self.root / "master.key")  # as when it is a credential of the unit alone
        lost = self.rotate()
        self.assertEqual(lost.returncode, 1)
        self.assertRegex(lost.stderr, f"secret_does_not_open .*one.example/.*{key_id(b'o' * 32)}")
        self.assertIn("wrapped=0 left=1", lost.stderr)
        self.assertFalse(master.exists())
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
