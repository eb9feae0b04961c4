#!/usr/bin/python3
"""penguin-bench report, end to end: small files of every verb -> one page that is XML, with a picture where one belongs.

    in    PENGUIN_BIN, the folder of the built programs
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

PROGRAM = pathlib.Path(os.environ["PENGUIN_BIN"]) / "penguin-bench"
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "a'b\"<script>&]]>`id`\\n$d @x\u0001\ufffe"

PARTS = {"daemon": 100, "redis": 50, "postgres": 20, "dns": 1, "sink": 30, "client": 2}
TIMES = {"p50": 10, "p95": 20, "p99": 30, "max": 40}
PLAN_LIMIT = {"limit": "addresses", "because": "3,334 addresses, 64 a node",
              "by_limit": [{"limit": "cpu", "value": 1, "because": "work"}, {"limit": "addresses", "value": 53, "because": "room"}]}


def drain(dkim):
    return "drain", {"messages": 1000, "dkim": dkim, "tls": True}, {
        "messages_per_second": 4343.6, "ledger_messages_per_second": 4300, "spread": 0.05, "limit": "waiting",
        "cpu_us_per_message": PARTS, "rss_mb": PARTS}


def call(kind, batch):
    return {"call": kind, "batch": batch, "clients": 4, "recipients_per_second": 300 * batch, "p50_ms": 1, "p95_ms": 2, "p99_ms": 3}


def scale(axis, exponent):
    return {"axis": axis, "exponent": exponent,
            "points": [{"value": value, "cpu_us_per_message": 200, "rss_mb": 50} for value in (1, 10, 100)]}


FILES = {
    "drain.json": drain("none"),
    "drain-signed.json": drain("rsa2048"),
    "submit.json": ("submit", {"batch": [1, 100]},
                    {"recipients_per_second": 30000, "cases": [call("batches", 1), call("batches", 100), call("inject", 1)]}),
    "flow.json": ("flow", {"dkim": "none", "rate": 500},
                  {"rate": 500, "messages_per_second": 499, "accept_to_250_ms": TIMES, "api_ms": TIMES,
                   "cpu_us_per_message": PARTS, "rss_mb": PARTS, "limit": "waiting"}),
    "plan.json": ("plan", {"messages_a_month": 1e8, "warmup": "cold", "shares": {"google": 0.5},
                           "machine": {"name": "medium", "cores": 4, "memory_gb": 8}},
                  {"nodes": {"value": 54, "carrying": 53, "stores_on_node": True, **PLAN_LIMIT},
                   "addresses": {"value": 3334, **PLAN_LIMIT}, "days_until_full_rate": 24,
                   "forecast": [{"day": day, "sent": 1000 * day, "addresses_carry": 1000 * day, "mailboxes_carry": None}
                                for day in range(1, 25)],
                   "redis": {"memory_mb": 456, "because": "backlog"},
                   "postgres": {"storage_gb_a_month": 47, "because": "events"},
                   "network": {"peak_mbit": 8, "gb_a_month": 1335}, "figures_from": {"sending": "drain.json"}}),
    "compare.json": ("compare", {"peer": "postfix"},
                                    {"drain_unsigned": {"ours": 4000, "peer": 1000, "ratio_min": 3.5, "ratio_median": 4, "ratio_max": 4.5},
                                     "signed_whole_way": {"ours": 2000, "peer": 900, "ratio_min": 2, "ratio_median": 2.2, "ratio_max": 3}}),
    "scale.json": ("scale", {"axes": {"tenants": [1, 10, 100]}}, {"axes": [scale("tenants", 0.02), scale("queued", None)]}),
    "scale-one.json": ("scale", {}, scale("domains", -0.2)),
    "rtt.json": ("rtt", {"delays_ms": [0, 50]},
                 [{"mta": mta, "extension": extension, "delay_ms": delay, "connections": 1,
                   "messages_per_round_trip": 1 if delay else None}
                  for mta in ("ours", "postfix") for extension in ("pipelining", "none") for delay in (0, 50, 100)]),
    "micro.json": ("micro", {"filter": ".*"},
                   {"benchmarks": {"dkim/rsa2048/10240": {"ns": 290000, "ratio": 1.1}, "event/encode": {"ns": 1200}},
                    "dkim_us": {"rsa2048": 290, "ed25519": 53}}),
}
CHARTS = {"plan": 1, "sending": 1, "peers": 1, "cost": 2, "accepting": 2, "delay": 2, "growth": 3, "round-trips": 1, "operations": 1}


class ReportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, verb, options, results, changes=()):
        machine = {"cores": 2, "model": "A CPU", "memory_mb": 24105, "load": 0.1, "load_after": 1.5}
        figures = {"verb": verb, "machine": machine, "git": "a4a2625", "options": options, "runs": [{}, {}, {}], "results": results}
        (self.folder / name).write_text(json.dumps({**figures, **dict(changes)}))

    def report(self, *names):
        return subprocess.run([PROGRAM, "report", "--out", "page.html", *names], cwd=self.folder, capture_output=True, text=True,
                              timeout=60)

    def page(self, *names):
        done = self.report(*names)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return ElementTree.parse(self.folder / "page.html").getroot()

    def test_every_section_has_its_pictures(self):
        for name, file in FILES.items():
            self.write(name, *file)
        root = self.page(*FILES)
        self.assertEqual(CHARTS, {section.get("id"): len(section.findall(f".//{SVG}svg")) for section in root.iter(f"{XHTML}section")})
        for svg in root.iter(f"{SVG}svg"):
            self.assertGreater(len(svg.findall(f".//{SVG}path") + svg.findall(f".//{SVG}polygon")), 2, svg.get("aria-label"))
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(sorted(FILES), sorted(path.name for path in self.folder.iterdir() if path.suffix == ".json"))

        lead = "".join(root.find(f".//{XHTML}div[@class='lead']").itertext())
        for said in ("To send 100 million mails a month it takes 54 machines with 4 cores and 8 GB", "3,334 IP addresses", "day 24",
                     "4,344 messages a second", "4 times as much unsigned mail", "100 MB of memory"):
            self.assertIn(said, lead)
        code = ["".join(element.itertext()) for element in root.iter(f"{XHTML}code")]
        self.assertIn("penguin-bench drain --messages 1000 --dkim rsa2048 --tls --runs 3", [line.strip() for line in code])

    def test_nothing_comes_from_outside(self):
        self.write("drain.json", *FILES["drain.json"])
        for element in self.page("drain.json").iter():
            self.assertNotIn(element.tag.split("}")[1], ("script", "link", "img", "iframe", "object"))
            for name, value in element.attrib.items():
                if name.split("}")[-1] in ("href", "src"):
                    self.assertTrue(value.startswith("#"), value)
                self.assertFalse(name.startswith("on"), name)

    def test_a_verb_that_is_missing_has_no_section(self):
        self.write("rtt.json", *FILES["rtt.json"])
        self.assertEqual(["round-trips"], [section.get("id") for section in self.page("rtt.json").iter(f"{XHTML}section")])

    def test_hostile_text_stays_text(self):
        machine = {"cores": 2, "model": HOSTILE, "memory_mb": 1, "load": 0, "kernel": HOSTILE}
        verb, options, results = FILES["scale-one.json"]
        self.write("scale.json", verb, {"axes": {HOSTILE: [1]}}, {**results, "axis": HOSTILE}, {"machine": machine, "git": HOSTILE})
        verb, options, results = FILES["drain.json"]
        self.write("drain.json", verb, {"dkim": HOSTILE, HOSTILE: HOSTILE}, {**results, "limit": HOSTILE}, {"git": HOSTILE})
        self.write("rtt.json", "rtt", {}, [{**FILES["rtt.json"][2][-1], "mta": HOSTILE}])
        self.write("compare.json", "compare", {"peer": HOSTILE}, {HOSTILE: FILES["compare.json"][2]["drain_unsigned"]})
        root = self.page("scale.json", "drain.json", "rtt.json", "compare.json")
        self.assertEqual([], list(root.iter(f"{XHTML}script")) + list(root.iter(f"{SVG}script")))
        self.assertIn("a'b\"<script>&]]>`id`\\n$d @x\ufffd\ufffd", "".join(root.itertext()))

    def test_a_wrong_file_is_named(self):
        verb, options, results = FILES["drain.json"]
        for changes, said in [({"verb": "nothing"}, "verb must be one of drain, submit"),
                              ({"results": 3}, "results must be an object or an array"),
                              ({"results": {**results, "messages_per_second": "4"}},
                               "results.messages_per_second must be a number, 0 to 1e15"),
                              ({"results": {**results, "rss_mb": None}}, "results.rss_mb is missing"),
                              ({"options": []}, "options must be an object"),
                              ({"machine": {"model": 5}}, "machine.model must be a text"),
                              ({"git": None}, "git is missing")]:
            with self.subTest(said=said):
                self.write("drain.json", verb, options, results, changes)
                done = self.report("drain.json")
                self.assertEqual(1, done.returncode)
                self.assertIn(f"penguin-bench report: drain.json: {said}", done.stderr)
        (self.folder / "text.json").write_text("text")
        self.assertIn("text.json: no JSON", self.report("text.json").stderr)
        self.assertIn("nowhere.json: No such file", self.report("nowhere.json").stderr)
        self.assertFalse((self.folder / "page.html").exists())


if __name__ == "__main__":
    unittest.main()
