"""The systemd unit and the maintainer scripts, as far as they can be judged without a systemd that runs.

    packaging_test.py FOLDER      the folder packaging/
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest

FOLDER = pathlib.Path(sys.argv.pop(1))
UNIT = (FOLDER / "penguin-mta.service").read_text()


def run(*command, **options):
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


def setting(name):
    return re.findall(rf"^{name}=(.*)$", UNIT, re.M)


class UnitTest(unittest.TestCase):
    def test_systemd_takes_every_line(self):
        with tempfile.TemporaryDirectory() as folder:
            # verify wants to see the program: any will do in its place.
            unit = pathlib.Path(folder) / "penguin-mta.service"
            unit.write_text(UNIT.replace("/usr/bin/penguin-mta", "/bin/true"))
            verified = run("systemd-analyze", "verify", "--man=no", str(unit))
        self.assertEqual((verified.returncode, verified.stdout, verified.stderr), (0, "", ""))

    def test_exposure_is_two_or_less(self):
        judged = run("systemd-analyze", "security", "--offline=true", str(FOLDER / "penguin-mta.service"))
        level = re.search(r"Overall exposure level for penguin-mta.service: ([0-9.]+)", judged.stdout)
        self.assertIsNotNone(level, judged.stdout + judged.stderr)
        self.assertLessEqual(float(level.group(1)), 2.0)

    def test_a_stop_may_settle(self):
        self.assertEqual(setting("KillMode"), ["mixed"])
        self.assertEqual(setting("Type"), ["notify"])
        self.assertEqual(setting("NotifyAccess"), ["main"])
        self.assertTrue(setting("WatchdogSec"))

    def test_a_stop_has_the_time_that_the_comment_adds_up(self):
        node = tomllib.loads((FOLDER / "penguin-mta.toml").read_text())["node"]
        chosen = sum(int(node[name].removesuffix("s")) for name in ("stop_drain", "stop_grace"))
        comment = re.search(r"# stop_drain, (.*\n.*) in turn\.", UNIT).group(1)
        fixed = sum(int(seconds) for seconds in re.findall(r"(\d+) s\b", comment))
        self.assertGreater(fixed, 100)
        self.assertLess(chosen + fixed, 60 * int(setting("TimeoutStopSec")[0].removesuffix("min")))

    def test_one_capability_and_a_user_of_its_own(self):
        self.assertEqual(setting("CapabilityBoundingSet"), ["CAP_NET_BIND_SERVICE"])
        self.assertEqual(setting("User"), ["penguin-mta"])
        self.assertEqual(setting("StateDirectoryMode"), ["0700"])

    def test_the_master_key_is_a_credential(self):
        self.assertEqual(setting("LoadCredential"), ["master-key:/etc/penguin-mta/master-key"])


class MaintainerScriptTest(unittest.TestCase):
    def test_shell_takes_them_and_an_error_ends_them(self):
        for name in ("postinst", "prerm", "postrm"):
            script = FOLDER / "debian" / name
            with self.subTest(name):
                self.assertEqual(run("sh", "-n", str(script)).returncode, 0)
                self.assertRegex(script.read_text(), r"(?m)^set -e$")
                self.assertTrue(script.stat().st_mode & 0o111)

    def test_an_unknown_argument_is_refused(self):
        self.assertEqual(run("sh", str(FOLDER / "debian" / "postinst"), "no-such-thing").returncode, 1)

    def test_purge_removes_what_postinst_made(self):
        postrm = (FOLDER / "debian" / "postrm").read_text()
        for made in ("/var/lib/penguin-mta", "/etc/penguin-mta/master-key", "userdel penguin-mta"):
            self.assertIn(made, postrm)

    def test_the_configuration_is_a_conffile(self):
        self.assertEqual((FOLDER / "debian" / "conffiles").read_text(), "/etc/penguin-mta/penguin-mta.toml\n")


if __name__ == "__main__":
    unittest.main()
