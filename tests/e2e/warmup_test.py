#!/usr/bin/python3
"""Sources under a warm-up plan, and kill -9 in the middle of a run: no count is lost or doubled by more than what was in flight.

    three counts   of each source: the node's own (its metric, which it has from Redis after the kill), the ledger's (the API), and the
                   events that say that the provider heard of an attempt
    PENGUIN_WARMUP_MESSAGES   how many (default 1200)
"""
import collections
import os
import re
import time
import unittest

from scene import Scene, wait_until
from world import addresses

MESSAGES = int(os.environ.get("PENGUIN_WARMUP_MESSAGES", "1200"))
PLAN = {"plan": "sendgrid-2017", "stage": 16}   # 600,000 a day for those that nobody knows: a minute's worth at once, then 7 a second
HEARD = {"mail", "rcpt", "data", "body"}


class WarmUp(unittest.TestCase):
    def test_kill_9_loses_and_doubles_no_count(self):
        while time.time() % 86_400 > 86_400 - 300:   # counts are of a day: this must be one
            time.sleep(1)
        with Scene("warmup", sites=("plain", "busy")) as scene:
            admin = scene.daemon.admin()
            sources = list(admin.pages("/v1/sources"))
            for source in sources:
                assigned = admin.call("PUT", f"/v1/sources/{source['id']}/warmup", PLAN)
                self.assertEqual(PLAN["plan"], assigned["plan"])
            wait_until(lambda: len(own_counts(admin)) == len(sources), 30, "the node knows of the plans", step=0.2)
            scene.submit(addresses("w-", MESSAGES, ("plain", "busy")))
            scene.wait_for_finals(MESSAGES // 4)
            in_flight = scene.daemon.connections()
            scene.daemon.kill()
            self.assertLess(len(scene.world.arrivals()), MESSAGES, "killed too late to prove anything")
            scene.restart()
            books = scene.settle(patience=180)
            self.assertEqual((0, []), (books.lost, books.faults[:5]))
            self.assertLessEqual(books.duplicated, in_flight)

            admin = scene.daemon.admin()
            told = collections.Counter(event["source"] for event in scene.events() if event["phase"] in HEARD)
            wait_until(lambda: ledger_counts(admin, sources) == told, 30, "the ledger has counted them all", step=0.2)
            own = {}

            def agree():
                own.update(own_counts(admin))
                return all(abs(own.get(source["address"], 0) - told[source["address"]]) <= in_flight for source in sources)
            wait_until(agree, 30, "the node's counts are those of the events", step=0.5)
            print(f"{MESSAGES} messages, {in_flight} connections open at the kill: events {dict(told)}, node {own}")
            self.assertGreaterEqual(sum(told.values()), MESSAGES)


def own_counts(admin):
    """{address: attempts of today} as the node counts them at providers that nobody knows."""
    text = admin.once("GET", "/metrics")[1]
    rows = re.findall(r'^penguin_warmup_sent_messages\{([^}]*)\} (\S+)$', text, re.MULTILINE)
    labels = [(dict(re.findall(r'(\w+)="([^"]*)"', row)), float(value)) for row, value in rows]
    return {of["source"]: int(value) for of, value in labels if of["provider"] == "other"}


def ledger_counts(admin, sources):
    counts = collections.Counter()
    for source in sources:
        warmup = admin.get(f"/v1/sources/{source['id']}/warmup")
        counts[source["address"]] = sum(share["today"]["sent"] for share in warmup["providers"])
    return +counts


if __name__ == "__main__":
    unittest.main()
