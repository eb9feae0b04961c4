#!/usr/bin/python3
"""A fleet is upgraded while it sends: an older and a newer node on one Redis and one PostgreSQL, and a migration under load.

    newer   the same program, told to speak the next version of the contract in Redis (PENGUIN_CONTRACT, in builds with crash points alone)
    story   the newer node waits and accepts, the older one sends; the schema gets a migration that the older program does not know, and
            that node dies and comes back; it stops, the newer one goes on, and the older program is refused
    judged  by the books of the fault campaign (tests/faults): nothing lost, nothing buried, nothing twice without a reason
"""
import re
import subprocess
import sys
import time
import unittest

from scene import BIN, ROOT, wait_until

sys.path.append(str(ROOT / "tests" / "faults"))

from api import Api  # noqa: E402
from daemon import home_of  # noqa: E402
from ground import Ground  # noqa: E402
from load import Load  # noqa: E402
from processes import as_root  # noqa: E402
from settle import gather, progress, settled  # noqa: E402

RATE = 20.0            # messages a second
MORE = 60              # messages: what counts as "it goes on"
NEXT_CONTRACT = {"PENGUIN_CONTRACT": "2"}
MIGRATION = """
begin;
alter table queue.batches add column upgrade_test text;
alter table analytics.events add column upgrade_test integer not null default 7;
insert into queue.migrations (number, name, checksum) select max(number) + 1, 'upgrade_test', 'x' from queue.migrations;
insert into analytics.migrations (number, name, checksum) select max(number) + 1, 'upgrade_test', 'x' from analytics.migrations;
commit;
"""
INCOMPATIBLE = "insert into queue.migrations (number, name, checksum) values (9999, '9999_test_incompatible', 'x');"


class Upgrade(unittest.TestCase):
    def test_a_fleet_is_upgraded_while_it_sends(self):
        home = home_of(ROOT / "build" / "e2e" / "upgrade")
        subprocess.run(as_root(["sh", "-c", f"rm -rf {home}/*/ {home}/*.jsonl"]), check=True, timeout=60)
        with Ground(BIN, home, 2, abilities=set()) as ground:
            self.ground = ground
            older, newer = ground.nodes
            restart(newer, NEXT_CONTRACT)
            load = Load(ground, RATE, home / "accepted.jsonl", seed=1)
            load.urls = [newer.url]        # whatever is accepted, the newer node accepted it
            load.cancel_every = sys.maxsize   # that has to wait, with a 503
            load.start()
            try:
                self.the_newer_waits_and_the_older_sends(older, newer)
                self.the_older_comes_back_after_a_migration(older, newer)
                self.the_newer_goes_on_alone(older, newer)
                self.goes_on("with two newer nodes")
            finally:
                load.stop()
            self.assertTrue(settled(ground, print)[1], "not everything has its end")
            verdict, left = gather(ground, home / "accepted.jsonl")
            print({name: count for name, count in verdict.counts.items() if count}, left)
            for fault in ("lost", "stuck", "wrongly_bounced", "stranger", "misdelivered", "ended_twice", "miscounted"):
                self.assertEqual(0, verdict.counts[fault], verdict.examples)
            self.assertEqual(verdict.counts["duplicated_explained"], verdict.counts["duplicated"], verdict.examples)
            self.assertNotIn("entries in dead", left)
            self.assertEqual([], ground.problems)

    def the_newer_waits_and_the_older_sends(self, older, newer):
        self.says(newer, f"node {older.name} speaks version 1 of the queue's contract, we speak 2")
        self.goes_on("by the older node")
        wait_until(lambda: metric(newer, "penguin_pump_failures_total") > 0, 30, "the newer node's pump has tried")
        self.assertEqual(0, metric(newer, "penguin_pump_enqueued_total"))
        self.assertEqual(0, metric(newer, "penguin_ledger_events_total"))

    def the_older_comes_back_after_a_migration(self, older, newer):
        self.ground.postgres.psql(MIGRATION)
        self.goes_on("on a newer schema")
        status, said = self.ground.migrate(older.config)
        self.assertEqual(0, status, said)   # the older program's, which has nothing to do
        self.ground.incident(older, "kill -9")
        older.kill()
        older.start(ready=True)
        self.goes_on("after the older node's death")
        self.says(newer, "speaks version 1")

    def the_newer_goes_on_alone(self, older, newer):
        self.assertEqual(0, older.stop())
        wait_until(newer.is_ready, 60, f"the newer node is ready; log: {newer.log}", step=0.2)
        self.goes_on("by the newer node")
        self.assertGreater(metric(newer, "penguin_pump_enqueued_total"), 0)

        restart(older, {})
        self.says(older, f"node {newer.name} speaks version 2 of the queue's contract, we speak 1")
        self.assertEqual(0, older.stop())
        self.ground.postgres.psql(INCOMPATIBLE)
        refused = subprocess.run([BIN / "penguin-mta", "serve", "--config", older.config], capture_output=True, text=True, timeout=60)
        self.ground.postgres.psql("delete from queue.migrations where number = 9999;")
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("9999_test_incompatible", refused.stdout + refused.stderr)
        restart(older, NEXT_CONTRACT)
        wait_until(older.is_ready, 60, f"the upgraded node is ready; log: {older.log}", step=0.2)

    def says(self, node, words):
        wait_until(lambda: words in checks(node).get("engine", ""), 60, f"{node.name} does not claim because {words}", step=0.2)

    def goes_on(self, how):
        total, ended = progress(self.ground)
        wait_until(lambda: progress(self.ground)[1] >= ended + MORE, 60, f"mail is sent {how}", step=0.5)
        self.assertGreaterEqual(progress(self.ground)[0], total)
        print(f"  {time.strftime('%H:%M:%S')} mail is sent {how}", flush=True)


def restart(node, env):
    node.stop()
    node.env = env
    node.start()


def checks(node):
    try:
        return Api(node.url).once("GET", "/readyz")[1]["checks"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def metric(node, name):
    """The sum over its labels."""
    text = Api(node.url).once("GET", "/metrics")[1]
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


if __name__ == "__main__":
    unittest.main()
