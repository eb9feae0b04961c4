"""Nothing secret leaves its place: a daemon is used with secrets that the test knows, at the chattiest log level, and everything
that it writes, answers and keeps is searched for them.

    secrets_test.py PROGRAM
"""
import base64
import contextlib
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parents[1] / "e2e")]

import daemon_test  # noqa: E402
from daemon_test import eventually, processes_in  # noqa: E402

os.environ["PENGUIN_BIN"] = str(pathlib.Path(daemon_test.PROGRAM).resolve().parent)
from scene import Scene  # noqa: E402
from api import Api  # noqa: E402
from world import UNKNOWN, addresses  # noqa: E402

WRONG_SECRET = "WrongSecretWrongSecretWrongSecretWrong00"
MAIL_TEXT = "the-words-of-a-private-letter"
VARIABLE = "what-the-platform-knows-of-ann"
# An RSA private key as DER has it (PKCS #8 and PKCS #1: version, then 2048 bits), and as PEM.
PRIVATE_KEY = re.compile(rb"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x82"
                         rb"|\x02\x01\x00\x02\x82\x01\x01\x00|BEGIN [A-Z ]*PRIVATE KEY")


def spellings(secret):
    """A secret's octets as they could be written somewhere."""
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret),
            base64.urlsafe_b64encode(secret).rstrip(b"=")}


class Words(unittest.TestCase):
    def test_a_key_is_found_as_it_would_lie_there(self):
        pem = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], check=True,
                             capture_output=True).stdout
        self.assertRegex(pem, PRIVATE_KEY)
        for form in ("pkcs8 -topk8 -nocrypt -outform DER", "rsa -traditional -outform DER"):
            der = subprocess.run(["openssl", *form.split()], input=pem, check=True, capture_output=True).stdout
            self.assertRegex(der, PRIVATE_KEY)


class SecretsTest(unittest.TestCase):
    setUp = daemon_test.DaemonTest.setUp
    start = daemon_test.DaemonTest.start

    def use(self, daemon):
        """Makes a tenant, its keys, its domain and its mail; gives the secrets and every answer that should hold none."""
        secrets, answers = set(), []
        admin = daemon.admin_key()
        _, body = daemon.call("POST", "/v1/tenants", {"name": "acme"}, admin)
        tenant = json.loads(body)["id"]
        status, body = daemon.call("POST", f"/v1/tenants/{tenant}/api-keys", {"name": "k", "scopes": [
            "domains:write", "domains:read", "keys:read", "keys:write", "batches:write", "batches:read", "events:read"]}, admin)
        self.assertEqual(status, 201, body)
        key = json.loads(body)["key"]  # the one answer that shows it
        for one in (admin, key):
            secrets.add(one.rsplit("_", 1)[1].encode())
        _, body = daemon.call("POST", "/v1/sources", {"address": "192.0.2.10", "ehlo_name": "mta.example.com", "pool": "default",
                                                      "node": "test-node"}, admin)
        batch = {"template": {"from": {"email": "a@acme.example"}, "subject": "s", "text": MAIL_TEXT + " {{x}}"},
                 "recipients": [{"email": "ann@example.net", "variables": {"x": VARIABLE}}]}
        wrong = key.rsplit("_", 1)[0] + "_" + WRONG_SECRET
        for method, path, body, credential in [
                ("POST", "/v1/domains", {"name": "acme.example", "ed25519": True}, key),
                ("GET", "/v1/domains/acme.example", None, key),
                ("POST", "/v1/domains/acme.example/verify", None, key),
                ("POST", "/v1/batches", batch, key),
                ("POST", "/v1/batches", {**batch, "recipients": [{"email": VARIABLE}]}, key),
                ("POST", "/v1/batches", {**batch, "template": MAIL_TEXT}, key),
                ("GET", "/v1/api-keys", None, key),
                ("GET", "/v1/tenants", None, wrong),
                ("GET", "/v1/tenants", None, "eyJhbGciOiJIUzI1NiJ9.e30." + WRONG_SECRET),
                ("GET", f"/v1/tenants/{tenant}", None, key),
                ("GET", f"/{WRONG_SECRET}?key={WRONG_SECRET}", None, key),
                ("GET", "/v1/audit", None, admin),
                ("GET", "/metrics", None, None)]:
            answers.append(daemon.call(method, path, body, credential))
        metrics = answers[-1][1]
        self.assertIn("penguin_http_requests_total", metrics)
        for name in (tenant, "acme.example", "example.net"):
            self.assertNotIn(name, metrics)  # open to whoever reaches the API
        secrets |= {WRONG_SECRET.encode(), MAIL_TEXT.encode(), VARIABLE.encode()}
        return secrets, answers

    def assert_has_none(self, what, octets, secrets):
        for secret in secrets:
            self.assertFalse(any(word in octets for word in spellings(secret)), f"{what} holds {secret!r}")
        self.assertIsNone(PRIVATE_KEY.search(octets), f"{what} holds a private key")

    def test_neither_log_nor_answer_nor_file_holds_a_secret(self):
        daemon = self.start('[log]\nlevel = "debug"\n').until_ready()
        state = self.root / "state"
        master = (state / "master.key").read_bytes()
        self.assertEqual(len(master), 32)
        secrets, answers = self.use(daemon)
        everything = secrets | {master}
        self.assertGreater(sum(status < 400 for status, _ in answers), 3)
        self.assertGreater(sum(status >= 400 for status, _ in answers), 5)
        for status, text in answers:
            self.assert_has_none(f"an answer ({status}): {text}", text.encode(), everything)
        for name in ("cmdline", "environ"):
            with contextlib.suppress(PermissionError):  # only root may read them at all
                self.assert_has_none(name, pathlib.Path(f"/proc/{daemon.process.pid}/{name}").read_bytes(), everything)
        self.assertEqual(daemon.stop(), 0, daemon.said())
        self.assertIn("credential_refused", daemon.said())
        self.assert_has_none("the log", daemon.said().encode(), everything)

        kept = {master} | {secret for secret in secrets if secret not in (MAIL_TEXT.encode(), VARIABLE.encode())}
        for path in state.rglob("*"):
            if path.is_file() and path.name not in ("master.key", "admin-key"):
                self.assert_has_none(str(path), path.read_bytes(), kept)

    def test_the_state_directory_is_for_its_user_alone(self):
        daemon = self.start().until_ready()
        self.use(daemon)
        for path in [self.root / "state", *(self.root / "state").rglob("*")]:
            mode = path.lstat().st_mode
            # A socket's own mode does not matter below run/, which nobody else can enter.
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                self.assertEqual(mode & 0o077, 0, f"{path} is {mode & 0o777:o}")
        self.assertEqual(daemon.stop(), 0)

    def test_passwords_of_stores_are_told_to_nobody(self):
        password = "hunter2-of-the-database"
        daemon = self.start(
            f'[log]\nlevel = "debug"\n[database]\ndsn = "host={self.root}/none user=x password={password}"\n'
            f'worker_dsn = "postgresql://y:{password}@127.0.0.1:1/z"\n[redis]\nurl = "redis://user:{password}@127.0.0.1:1"\n')
        eventually("alive", lambda: daemon.status_of("/healthz") == 200 or daemon.process.poll() is not None)
        answers = "" if daemon.process.poll() is not None else daemon.call("GET", "/readyz")[1] + daemon.call("GET", "/metrics")[1]
        daemon.stop()
        self.assert_has_none("answers and log", (answers + daemon.said()).encode(), {password.encode()})

    def test_memory_is_not_for_other_processes_nor_for_core_files(self):
        daemon = self.start().until_ready()
        proc = pathlib.Path(f"/proc/{daemon.process.pid}")
        self.assertRegex((proc / "limits").read_text(), r"(?m)^Max core file size +0 +0 ")
        # A process that may not be dumped: the kernel gives its files in /proc to root, and nobody else may trace it.
        self.assertEqual((proc / "mem").stat().st_uid, 0)
        # The stores have secrets of tenants in memory as well.
        for store in processes_in(self.root / "state"):
            self.assertRegex(pathlib.Path(f"/proc/{store}/limits").read_text(), r"(?m)^Max core file size +0 +0 ")
        self.assertEqual(daemon.stop(), 0)


class AfterDelivery(unittest.TestCase):
    def test_metrics_name_nobody(self):
        with Scene("metrics", sites=("plain", "strict"), log={"level": "debug"}) as scene:
            scene.submit([*addresses("ann-of-metrics", 20, ("plain",)), *UNKNOWN])
            scene.settle()
            status, metrics = Api(scene.daemon.url).once("GET", "/metrics")
            self.assertEqual(status, 200)
            for kind in ("delivered", "bounced"):
                self.assertRegex(metrics, rf'penguin_delivery_outcomes_total{{[^}}]*"{kind}"[^}}]*}} [1-9]')
            names = [word for tenant in scene.tenants for word in (tenant.id, tenant.domain)]
            names += [batch for _, batch in scene.batches] + ["ann-of-metrics", "plain-0", "strict-0", "mx.test"]
            for name in names:
                self.assertNotIn(name, metrics)


if __name__ == "__main__":
    unittest.main()
