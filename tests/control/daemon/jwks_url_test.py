"""Tokens whose keys are at a URL: found by a real name server, fetched from a real HTTPS server, rotated and away.

    jwks_url_test.py PROGRAM
"""
import base64
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import unittest

from nacl.signing import SigningKey

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "demo"))

import daemon_test  # noqa: E402
from daemon_test import eventually  # noqa: E402
from nameserver import Nameserver  # noqa: E402

HOST = "keys.issuer.example"
ZONE = {"issuer.example": ["keys A 127.0.0.1"]}


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Issuer:
    """A key, and the tokens that it signs."""

    def __init__(self, kid):
        self.kid, self.key = kid, SigningKey.generate()

    def jwk(self):
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": base64url(bytes(self.key.verify_key))}

    def token(self):
        claims = {"iss": "https://issuer.example", "aud": "penguin", "platform": True, "scope": "tenants:read", "exp": int(time.time()) + 300}
        parts = [base64url(json.dumps(part).encode()) for part in ({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid}, claims)]
        return ".".join([*parts, base64url(self.key.sign(".".join(parts).encode()).signature)])


class KeyServer:
    """HTTPS on loopback: the set that the test wants, and how often it was asked for."""

    def __init__(self, root):
        self.keys, self.asked = [], 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                body = json.dumps({"keys": server.keys}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.certificate = root / "issuer.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/",
                        "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", root / "issuer.key", "-out", self.certificate],
                       check=True, capture_output=True)
        self.certificate.chmod(0o644)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, root / "issuer.key")
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class JwksUrlTest(unittest.TestCase):
    setUp = daemon_test.DaemonTest.setUp
    start = daemon_test.DaemonTest.start

    def serve(self, *allowed):
        self.server = KeyServer(self.root)
        self.addCleanup(self.server.stop)
        dns = Nameserver(self.root / "dns", ZONE)
        dns.__enter__()
        self.addCleanup(dns.__exit__)
        settings = (f'[dns]\nservers = ["{dns.server}"]\n[auth]\njwks_url = "https://{HOST}:{self.server.port}/jwks.json"\n'
                    f'jwks_ca_file = "{self.server.certificate}"\njwks_allow_targets = {json.dumps(list(allowed))}\n'
                    'issuer = "https://issuer.example"\naudience = "penguin"\n')
        return self.start(settings)

    def test_a_rotation_needs_no_restart(self):
        before, after = Issuer("one"), Issuer("two")
        daemon = self.serve("127.0.0.0/8")
        self.server.keys = [before.jwk()]
        daemon.until_ready()
        eventually("the first token is taken", lambda: daemon.call("GET", "/v1/tenants", key=before.token())[0] == 200, 60)
        self.server.keys = [after.jwk()]
        eventually("the new key is found", lambda: daemon.call("GET", "/v1/tenants", key=after.token())[0] == 200, 60)
        self.assertEqual(daemon.call("GET", "/v1/tenants", key=before.token())[0], 401)
        asked = self.server.asked
        self.server.stop()
        for _ in range(20):
            self.assertEqual(daemon.call("GET", "/v1/tenants", key=after.token())[0], 200)
        self.assertEqual(self.server.asked, asked)

    def test_a_private_address_is_refused_and_tokens_wait(self):
        daemon = self.serve()
        self.server.keys = [Issuer("one").jwk()]
        daemon.until_ready()
        status, body = daemon.call("GET", "/v1/tenants", key=Issuer("one").token())
        self.assertEqual((status, json.loads(body)["code"]), (503, "unavailable"))
        self.assertIn("has an address that is not public", daemon.said())
        self.assertEqual(self.server.asked, 0)
        self.assertEqual(daemon.call("GET", "/v1/tenants", key=daemon.admin_key())[0], 200)


if __name__ == "__main__":
    unittest.main()
