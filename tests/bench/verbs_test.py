#!/usr/bin/python3
"""The measuring verbs of penguin-bench at their smallest, end to end: daemon, stores, nsd, sink. And that Ctrl-C leaves nothing behind.

    in    PENGUIN_BIN, the folder of the built programs
"""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(os.environ["PENGUIN_BIN"]) / "penguin-bench"
DRAIN = ["drain", "--messages", "200", "--domains", "5", "--sites", "2"]
SUBMIT = ["submit", "--batch", "1,20", "--clients", "2", "--inject-clients", "2", "--seconds", "1", "--domains", "5"]
COMPARE = ["compare", "--unsigned-messages", "100", "--signed-messages", "50", "--domains", "5", "--sites", "2"]
SCALE = ["scale", "--axis", "queued", "--values", "200,100", "--domains", "5", "--sites", "2", "--size", "1000"]
RTT = ["rtt", "--delays-ms", "20", "--connections", "1", "--extensions", "pipelining", "--seconds", "1", "--no-postfix"]
SOAK = ["soak", "--rate", "100", "--minutes", "0.1", "--batch", "10", "--domains", "5", "--sites", "2", "--tenants", "2"]
FAIRNESS = ["fairness", "--waiting", "2000", "--rate", "200", "--messages", "20", "--high", "10", "--seconds", "2", "--tenants", "3", "--late-messages", "10"]
SUSTAIN = ["sustain", "--find-s", "2", "--keep-s", "2", "--domains", "2"]
FLOW = ["flow", "--rate", "100", "--seconds", "1", "--batch", "10", "--domains", "5", "--sites", "2"]


def running_in(folder):
    """Processes whose command line or working directory names the folder."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit() and process.name != str(os.getpid()):
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace") + os.readlink(process / "cwd")
            except OSError:
                continue
            if str(folder) in words:
                found.append(process.name)
    return found


class VerbsTest(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="verbs-")
        os.chmod(self.work.name, 0o755)
        self.addCleanup(self.work.cleanup)
        self.json = pathlib.Path(self.work.name) / "figures.json"

    def command(self, verb):
        return [PROGRAM, *verb, "--runs", "1", "--timeout-s", "60", "--work", self.work.name, "--json", self.json]

    def figures(self, verb):
        done = subprocess.run(self.command(verb), capture_output=True, text=True, timeout=90)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        report = json.loads(self.json.read_text())
        self.assertEqual(["verb", "machine", "git", "options", "runs", "results"], list(report))
        self.assertEqual(verb[0], report["verb"])
        self.assertEqual([], running_in(self.work.name))
        self.assertEqual([self.json], list(pathlib.Path(self.work.name).iterdir()))
        return report

    def test_drain_delivers_every_message(self):
        report = self.figures(DRAIN)
        self.assertEqual(200, report["options"]["messages"])
        self.assertEqual(0, report["runs"][0]["repeated"])
        results = report["results"]
        self.assertGreater(results["messages_per_second"], 0)
        self.assertGreater(results["ledger_messages_per_second"], 0)
        for name in ("daemon", "redis", "postgres", "sink", "dns"):
            self.assertIn(name, results["cpu_us_per_message"])
            self.assertGreater(results["rss_mb"][name], 0)
        self.assertIn(results["limit"], ("sink", "client", "others", "machine", "daemon", "redis", "postgres", "dns", "waiting"))

    def test_drain_tells_what_bounds_a_signed_rate(self):
        bound = self.figures([*DRAIN, "--dkim", "rsa2048", "--bound"])["results"]["signed_bound"]
        self.assertEqual(["rsa2048_us", "unsigned_us", "messages_per_second", "share"], list(bound))
        cost = bound["rsa2048_us"] + bound["unsigned_us"]
        self.assertAlmostEqual(os.cpu_count() * 1e6 / cost, bound["messages_per_second"], delta=1)
        self.assertGreater(bound["share"], 0)

    def test_bound_wants_signed_mail(self):
        done = subprocess.run([PROGRAM, *DRAIN, "--bound"], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("--bound: goes with --dkim rsa2048", done.stdout + done.stderr)

    def test_soak_samples_what_may_grow_while_settings_come_and_go(self):
        results = self.figures(SOAK)["results"]
        self.assertEqual([], results["alarms"])
        self.assertEqual(600, results["messages"])
        self.assertEqual(["campaigns", "lists", "settings", "suppressions", "tenants"], sorted(results["churn"]))
        for steps in results["churn"].values():
            self.assertGreater(steps, 0)
        for name in ("daemon_mb", "descriptors", "redis_mb", "dataset_mb", "postgres_mb"):
            self.assertGreater(results["samples"][-1][name], 0)
        done = subprocess.run([PROGRAM, "report", "--out", f"{self.work.name}/report.html", self.json], capture_output=True, text=True, timeout=60)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn("Whether anything grows", pathlib.Path(self.work.name, "report.html").read_text())

    def test_submit_measures_each_case(self):
        results = self.figures(SUBMIT)["results"]
        self.assertEqual([("batches", 1), ("batches", 20), ("inject", 1)], [(case["call"], case["batch"]) for case in results["cases"]])
        for name in ("recipients_per_second", "requests_per_second", "p50_ms", "p95_ms", "p99_ms"):
            self.assertGreater(results[name], 0)
        self.assertEqual(results["recipients_per_second"], results["cases"][1]["recipients_per_second"])

    def test_flow_times_mail_and_api(self):
        results = self.figures(FLOW)["results"]
        for name in ("accept_to_250_ms", "api_ms"):
            self.assertEqual(["p50", "p95", "p99", "max"], list(results[name]))
            self.assertGreater(results[name]["p50"], 0)
            self.assertLessEqual(results[name]["p50"], results[name]["max"])

    # At this size and on any machine: what the figures are, not how good. That everything arrived is the verb's own check.
    def test_fairness_times_who_comes_later_and_counts_shares(self):
        report = self.figures(FAIRNESS)
        results = report["results"]
        self.assertEqual({"equal": ["p95_ms", "at_most"], "weighted": ["share_error", "at_most"], "high": ["p95_ms", "at_most"],
                          "thousand": ["worst_ratio", "at_most"]}, {scene: list(figures) for scene, figures in results.items()})
        self.assertEqual([400, 250], [results[scene]["at_most"] for scene in ("equal", "high")])
        self.assertLess(results["weighted"]["share_error"], 1)
        run = report["runs"][0]
        self.assertLessEqual(run["weighted"]["messages_per_second"], 210)
        self.assertEqual(10, len(run["thousand"]["waits_ms"]))
        self.assertEqual(20, run["thousand"]["round_ms"])
        for scene in ("equal", "high"):
            self.assertLess(0, run[scene]["p50_ms"])
            self.assertLessEqual(run[scene]["p50_ms"], run[scene]["max_ms"])

    # At this size: what the figures are, not how good. The naive sender's attempts are more than the provider takes.
    def test_sustain_sets_the_engine_beside_a_fixed_rate(self):
        profile = pathlib.Path(self.work.name).parent / f"{pathlib.Path(self.work.name).name}.toml"
        self.addCleanup(profile.unlink)
        profile.write_text('name = "slow"\n[limits.message-rate]\nmax = 5\nper-s = 1\nreply = "421 4.7.28 slow down"\n')
        report = self.figures([*SUSTAIN, "--profile", profile, "--naive-factor", "4"])
        self.assertEqual([2, 2, 4], [report["options"][name] for name in ("find_s", "keep_s", "naive_factor")])
        results = report["results"]
        self.assertEqual(["sustainable_per_second", "engine", "naive"], list(results))
        self.assertEqual(5, results["sustainable_per_second"])
        for who in ("engine", "naive"):
            self.assertEqual(["share", "deferred", "connections_refused", "found_after_s", "course"], list(results[who]))
            self.assertIsNone(results[who]["found_after_s"])  # too short
            self.assertLess(0, report["runs"][0][who]["taken"])
        self.assertLess(0, report["runs"][0]["naive"]["refused"])
        self.assertGreaterEqual(results["naive"]["course"][-1]["seconds"], 0)

    @unittest.skipUnless(os.geteuid() == 0, "Postfix's master runs only as root")
    def test_compare_sets_us_beside_postfix(self):
        results = self.figures(COMPARE)["results"]
        self.assertEqual(["drain_unsigned", "signed_whole_way"], list(results))
        for case in results.values():
            self.assertEqual(["ours", "peer", "ratio_min", "ratio_median", "ratio_max"], list(case))
            self.assertGreater(case["peer"], 0)
            self.assertAlmostEqual(case["ours"] / case["peer"], case["ratio_median"], delta=0.01)
        done = subprocess.run([PROGRAM, "report", "--out", f"{self.work.name}/report.html", self.json], capture_output=True, text=True, timeout=60)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_scale_gives_a_point_for_each_value(self):
        report = self.figures(SCALE)
        results = report["results"]
        self.assertEqual("queued", results["axis"])
        self.assertEqual(results["points"], results["axes"][0]["points"])
        self.assertEqual([(100, 100, 0), (200, 200, 0)], [(p["value"], p["messages"], p["repeated"]) for p in results["points"]])
        self.assertEqual({"queued": [100, 200]}, report["options"]["axes"])
        self.assertIsInstance(results["exponent"], float)
        for point in results["points"]:
            self.assertEqual(["daemon", "dns", "postgres", "redis", "sink"], sorted(point["by_component"]))
            self.assertAlmostEqual(sum(point["by_component"].values()), point["cpu_us_per_message"], places=1)
            for name in ("messages_per_second", "rss_mb", "redis_mb"):
                self.assertGreater(point[name], 0)
            self.assertIn("redis_octets_per_message", point)   # of so few messages it may be anything: buffers weigh more

    def test_scale_wants_one_axis_for_values(self):
        done = subprocess.run([PROGRAM, "scale", "--values", "1,2"], capture_output=True, text=True, timeout=30)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("--values", done.stdout + done.stderr)

    def test_rtt_measures_beside_the_bound(self):
        report = self.figures(RTT)
        self.assertEqual([20], report["options"]["delays_ms"])
        [case] = report["results"]
        self.assertEqual(["mta", "extension", "delay_ms", "connections", "messages_per_round_trip", "messages_per_second",
                          "bound_messages_per_second"], list(case))
        self.assertEqual(("ours", "pipelining", 20, 1, 50), (case["mta"], case["extension"], case["delay_ms"], case["connections"],
                                                             case["bound_messages_per_second"]))
        # No octet comes early, so no machine beats the bound; the sink's clock counts milliseconds.
        self.assertLess(0, case["messages_per_round_trip"])
        self.assertLessEqual(case["messages_per_round_trip"], 1.01)
        self.assertAlmostEqual(case["messages_per_second"] / 50, case["messages_per_round_trip"], places=2)
        self.assertEqual(1, report["runs"][0]["cases"][0]["connections_used"])

    def test_a_signal_in_the_middle_leaves_nothing_behind(self):
        process = subprocess.Popen(self.command(DRAIN), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while len(running_in(self.work.name)) < 4 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=90)
        self.assertEqual(1, process.returncode)
        self.assertIn("stopped by signal 2", errors)
        self.assertEqual([], running_in(self.work.name))
        self.assertEqual([], list(pathlib.Path(self.work.name).iterdir()))


if __name__ == "__main__":
    unittest.main()
