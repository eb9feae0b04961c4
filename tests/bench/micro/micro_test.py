#!/usr/bin/python3
"""penguin-bench micro at its shortest: every benchmark runs, and those with a limit have their ratio; the planner takes the figures.

    in    PENGUIN_BIN, the folder of the built programs
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["PENGUIN_BIN"]) / "penguin-bench"
SUBJECTS = ["address", "body", "dkim", "dns_cache", "event", "fair_queue", "mime", "mx_routing", "redis_entry", "reply_parser", "template",
            "token_bucket"]


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=120)


class MicroTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.json = pathlib.Path(folder.name) / "micro.json"

    def test_every_subject_runs_and_the_planner_reads_it(self):
        done = run("micro", "--runs", "2", "--min-time-ms", "1", "--json", self.json)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        report = json.loads(self.json.read_text())
        self.assertEqual(["verb", "machine", "git", "options", "runs", "results"], list(report))
        benchmarks = report["results"]["benchmarks"]
        self.assertEqual(SUBJECTS, sorted({name.split("/")[0] for name in benchmarks}))
        for name, one in benchmarks.items():
            self.assertGreater(one["ns"], 0, name)
            if name.startswith(("body/", "dkim/", "event/", "redis_entry/", "template/", "mime/render")):
                self.assertGreater(one["ratio"], 0, name)
        self.assertGreater(report["results"]["dkim_us"]["rsa2048"], report["results"]["dkim_us"]["ed25519"])

        plan = run("plan", "--messages-a-month", "1e8", "--figures", self.json)
        self.assertEqual(0, plan.returncode, plan.stderr)
        self.assertIn(f"signing from {self.json}", plan.stdout)

    def test_a_filter_that_fits_nothing_is_told(self):
        done = run("micro", "--filter", "nothing", "--runs", "1")
        self.assertEqual(1, done.returncode)
        self.assertIn("--filter: no benchmark's name matches 'nothing'", done.stderr)
        self.assertNotEqual(0, run("micro", "--filter", "(").returncode)


class PlanTest(unittest.TestCase):
    def test_the_plan_is_printed_and_written(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "plan.json"
            done = run("plan", "--messages-a-month", "1e8", "--warmup", "bulk", "--share", "google=0.6", "--cores", "8",
                       "--setback", "google:4", "--json", file)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn("Full rate on day 11 of sending", done.stdout)
            report = json.loads(file.read_text())
            self.assertEqual(["verb", "machine", "git", "options", "runs", "results"], list(report))
            self.assertEqual(67, report["results"]["addresses"]["value"])
            self.assertEqual(8, report["options"]["machine"]["cores"])

    def test_what_is_wrong_is_named(self):
        for words, said in [(["--share", "google"], "--share: 'google' must be NAME=NUMBER"),
                            (["--peak-factor", "0.5"], "--peak-factor: must be 1 to 1000, not 0.5"),
                            (["--figures", "/nowhere.json"], "--figures: cannot read /nowhere.json"),
                            (["--machine", "tiny"], "--machine: 'tiny' is none of small, medium, large, huge"),
                            (["--dkim", "md5"], "--dkim: 'md5' is none of none, rsa2048, ed25519, both")]:
            with self.subTest(words=words):
                done = run("plan", "--messages-a-month", "1e6", *words)
                self.assertEqual((2, f"penguin-bench plan: {said}\n"), (done.returncode, done.stderr))


if __name__ == "__main__":
    unittest.main()
