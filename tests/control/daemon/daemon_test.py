"""The daemon as people run it: the program itself, with its embedded stores, in a directory of its own.

    daemon_test.py PROGRAM
"""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv.pop(1)
START_MAX = 90  # seconds: initdb on a machine that is busy with other tests
AS_USER = ["--user", "postgres"] if os.geteuid() == 0 else []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_in(folder):
    """Who works in a directory: the embedded stores do, each in its own."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd").startswith(str(folder)):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def eventually(what, holds, limit=START_MAX):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {limit} s: {what}")


class Daemon:
    """One run of the program on one state directory."""

    def __init__(self, root, settings="", env=None, drain="0s"):
        self.port = free_port()
        self.state = root / "state"
        self.config = root / "penguin-mta.toml"
        self.log = root / "log"
        self.config.write_text(
            f'[node]\nname = "test-node"\nstate_dir = "{self.state}"\nenvironment = "test"\nstop_drain = "{drain}"\n'
            f'[http]\nlisten = ["127.0.0.1:{self.port}"]\n[domains]\nbounce_mx = "bounce.test-node.example"\n' + settings)
        self.config.chmod(0o644)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", "--config", self.config, *AS_USER], stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})})

    def call(self, method, path, body=None, key=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            if key:
                headers["Authorization"] = f"Bearer {key}"
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            response = connection.getresponse()
            text = response.read().decode()
            return response.status, text
        finally:
            connection.close()

    def status_of(self, path):
        try:
            return self.call("GET", path)[0]
        except OSError:
            return None

    def checks(self):
        """What /readyz says of each, or nothing while nobody answers."""
        try:
            return json.loads(self.call("GET", "/readyz")[1])["checks"]
        except OSError:
            return {}

    def all_is_well(self):
        return set(self.checks().values()) == {"ok"}

    def until_ready(self):
        eventually("ready", lambda: self.all_is_well() or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.said()}")
        return self

    def said(self):
        return self.log.read_text(errors="replace")

    def admin_key(self):
        return subprocess.run([PROGRAM, "admin-key", "--config", self.config], check=True, capture_output=True,
                              text=True).stdout.strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        eventually("the stores of a killed daemon end", lambda: not processes_in(self.state))


class DaemonTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pm-daemon-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.root.chmod(0o755)  # the daemon's user has to get through

    def start(self, settings="", env=None, drain="0s"):
        daemon = Daemon(self.root, settings, env, drain)
        self.addCleanup(daemon.end)
        return daemon

    def test_a_stop_and_a_start_keep_what_was_made(self):
        first = self.start().until_ready()
        # Whoever can ask may use the key that lies there.
        self.assertLess(first.said().index("admin_key_created"), first.said().index("api_listens"))
        key = first.admin_key()
        self.assertRegex(key, r"^pm_live_[0-9a-f]{32}_[0-9A-Za-z]{40}$")
        self.assertEqual((self.root / "state" / "admin-key").stat().st_mode & 0o777, 0o600)
        status, body = first.call("POST", "/v1/tenants", {"name": "kept"}, key)
        self.assertEqual(status, 201, body)
        tenant = json.loads(body)["id"]
        self.assertEqual(first.stop(), 0, first.said())
        self.assertEqual(processes_in(self.root / "state"), [])

        second = self.start().until_ready()
        self.assertEqual(second.admin_key(), key)
        self.assertEqual(second.call("GET", f"/v1/tenants/{tenant}", key=key)[0], 200)
        self.assertNotIn("crashed_before", second.said())
        self.assertEqual(second.stop(), 0, second.said())

    def test_one_daemon_a_state_directory(self):
        first = self.start().until_ready()
        second = self.start()
        self.assertEqual(second.process.wait(timeout=30), 1)
        self.assertIn(f"another penguin-mta runs in {self.root}/state (process {first.process.pid})", second.said())
        self.assertEqual(first.status_of("/readyz"), 200)
        self.assertEqual(first.stop(), 0)

    def test_nothing_runs_as_root_and_nobody_else_gets_in(self):
        daemon = self.start().until_ready()
        for process in [daemon.process.pid, *processes_in(self.root / "state")]:
            ids = re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$",
                            pathlib.Path(f"/proc/{process}/status").read_text(), re.M).groups()
            self.assertNotIn("0", ids if os.geteuid() == 0 else [])
        for private in ("", "run", "postgres", "redis"):
            self.assertEqual((self.root / "state" / private).stat().st_mode & 0o777, 0o700, private)
        self.assertEqual(daemon.stop(), 0)

    def test_after_a_kill_the_next_start_goes_on(self):
        first = self.start().until_ready()
        key = first.admin_key()
        self.assertEqual(first.call("POST", "/v1/tenants", {"name": "kept"}, key)[0], 201)
        first.process.kill()
        first.process.wait()
        second = self.start().until_ready()  # at once: what is left of the first is waited for
        self.assertIn("crashed_before node=test-node", second.said())
        self.assertIn("kept", second.call("GET", "/v1/tenants", key=key)[1])
        self.assertEqual(second.stop(), 0)

    def test_a_store_that_dies_comes_back(self):
        daemon = self.start().until_ready()
        for store in ("redis", "postgres"):
            oldest = min(processes_in(self.root / "state" / store))
            os.kill(oldest, signal.SIGKILL)
            eventually("its death is seen", lambda name=store: f"{name} store_died" in daemon.said())
        eventually("ready again", daemon.all_is_well)
        self.assertIn('penguin_store_restarts_total{store="redis"} 1', daemon.call("GET", "/metrics")[1])
        self.assertEqual(daemon.stop(), 0)

    def test_without_postgresql_the_api_says_so_and_the_daemon_lives(self):
        daemon = self.start(f'[database]\ndsn = "host={self.root}/none user=x"\nworker_dsn = "host={self.root}/none user=x"\n')
        eventually("alive", lambda: daemon.status_of("/healthz") == 200)
        status, body = daemon.call("GET", "/readyz")
        self.assertEqual(status, 503)
        self.assertEqual(json.loads(body)["checks"]["postgresql"], "cannot be reached")
        self.assertIn(daemon.call("GET", "/v1/tenants", key="pm_live_" + "0" * 32 + "_" + "x" * 40)[0], (503,))
        self.assertEqual(daemon.stop(), 0, daemon.said())

    def test_without_redis_mail_is_still_taken(self):
        daemon = self.start(f'[redis]\nurl = "redis://127.0.0.1:{free_port()}"\n')
        eventually("ready", lambda: daemon.status_of("/readyz") == 200)
        self.assertEqual(daemon.checks()["redis"], "cannot be reached")
        self.assertEqual(daemon.call("POST", "/v1/tenants", {"name": "made"}, daemon.admin_key())[0], 201)
        self.assertEqual(daemon.stop(), 0, daemon.said())

    def test_a_stop_tells_balancers_before_it_turns_callers_away(self):
        daemon = self.start(drain="5m").until_ready()
        key = daemon.admin_key()
        daemon.process.send_signal(signal.SIGTERM)
        eventually("it says so", lambda: daemon.status_of("/readyz") == 503)
        self.assertEqual(daemon.checks()["daemon"], "stopping")
        self.assertEqual(daemon.status_of("/healthz"), 200)
        self.assertEqual(daemon.call("GET", "/v1/tenants", key=key)[0], 200)
        self.assertIsNone(daemon.process.poll())
        daemon.process.send_signal(signal.SIGINT)   # whoever is in a hurry
        self.assertEqual(daemon.process.wait(60), 0, daemon.said())

    def test_the_drain_of_a_stop_ends(self):
        daemon = self.start(drain="1s").until_ready()
        self.assertEqual(daemon.stop(), 0, daemon.said())

    def test_what_cannot_start_says_why_and_leaves_nothing(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            daemon = self.start()
            daemon.end()
            (self.root / "log").unlink()
            text = daemon.config.read_text().replace(str(daemon.port), str(taken.getsockname()[1]))
            (self.root / "taken.toml").write_text(text)
            run = subprocess.run([PROGRAM, "serve", "--config", self.root / "taken.toml", *AS_USER], check=False,
                                 capture_output=True, text=True, timeout=START_MAX)
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, r"start_failed why=.*127\.0\.0\.1:\d+: Address already in use")
        self.assertEqual(processes_in(self.root / "state"), [])

    def test_rules_that_are_wrong_are_told_whole_and_stop_the_start(self):
        rules = self.root / "own.toml"
        rules.write_text("[[rule]]\nid = 'x'\ncodes = [250]\n")
        rules.chmod(0o644)
        daemon = self.start(f'[delivery]\nrules_file = "{rules}"\n')
        self.assertEqual(daemon.process.wait(timeout=120), 1)
        self.assertIn("own.toml:3: x: codes: ", daemon.said())
        self.assertIn("own.toml:1: x: class: is needed", daemon.said())
        self.assertRegex(daemon.said(), r"start_failed why=.*delivery\.rules_file: ")

    def test_systemd_is_told(self):
        address = self.root / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(address))
            address.chmod(0o777)
            told.settimeout(START_MAX)
            daemon = self.start(env={"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"})
            heard = ""
            while "READY=1" not in heard or "WATCHDOG=1" not in heard:
                heard += told.recv(4096).decode() + "\n"
            self.assertIn("EXTEND_TIMEOUT_USEC=", heard)
            self.assertEqual(daemon.status_of("/healthz"), 200)
            daemon.process.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in heard:
                heard += told.recv(4096).decode() + "\n"
            self.assertEqual(daemon.process.wait(timeout=120), 0)
        # The stores hear nothing of systemd: they would speak for the daemon.
        self.assertNotIn("STATUS=Ready", heard)


class CommandTest(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], check=False, capture_output=True, text=True)

    def test_version(self):
        self.assertRegex(self.run_it("version").stdout, r"^penguin-mta \d+\.\d+\.\d+\n$")

    def test_check_config_says_everything(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('[smtp]\nport = 0\ncolour = "red"\n')
            file.flush()
            checked = self.run_it("check-config", file.name)
            self.assertEqual(checked.returncode, 1)
            self.assertRegex(checked.stderr, rf"(?s){file.name}:2: smtp.port: .*{file.name}:3: smtp.colour: ")
            file.truncate(0)
            self.assertEqual(self.run_it("check-config", file.name).stdout, "ok\n")

    def test_a_state_directory_that_others_use_is_not_taken(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give directories away")
        refused = self.run_it("serve", "--state-dir", "/usr", *AS_USER)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("/usr belongs to root and is not empty", refused.stderr)

    def test_no_such_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        with tempfile.TemporaryDirectory() as folder:
            refused = self.run_it("serve", "--state-dir", f"{folder}/state", "--user", "pm-nobody-here")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no user pm-nobody-here: create it (useradd --system", refused.stderr)

    def test_no_admin_key_yet(self):
        with tempfile.TemporaryDirectory() as folder:
            asked = self.run_it("admin-key", "--state-dir", folder)
        self.assertEqual(asked.returncode, 1)
        self.assertIn("the first start makes it", asked.stderr)


if __name__ == "__main__":
    unittest.main()
