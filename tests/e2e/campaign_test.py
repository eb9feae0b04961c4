#!/usr/bin/python3
"""A campaign on two nodes is paused, goes on, and is cancelled: soon nothing more of it is sent, and every message has one end.

    PENGUIN_CAMPAIGN_MESSAGES  how many are queued (default 3000). When it is set, what DESIGN promises is demanded: a second
                               until nothing more is sent, 5 minutes until all have ended; else ten times as much, so that
                               a busy machine fails nobody
"""
import os
import re
import time
import unittest
import uuid

from scene import Api, ApiError, Scene
from world import addresses

MESSAGES = int(os.environ.get("PENGUIN_CAMPAIGN_MESSAGES", "3000"))
SLACK = 1 if "PENGUIN_CAMPAIGN_MESSAGES" in os.environ else 10
STOPPED_WITHIN = 1.0 * SLACK  # seconds
ENDED_WITHIN = 300 * SLACK
OTHERS = 60                   # messages of another tenant, which go on
SLOW = {"tls": False, "rules": ["phase=body delay-ms=400 code=250 text=ok"]}
NODE_2 = [("127.0.20.5", "mta5.mx.test"), ("127.0.20.6", "mta6.mx.test")]


class Campaign(unittest.TestCase):
    def test_pause_resume_and_cancel_take_effect_everywhere(self):
        with Scene("campaign", sites=("plain",), sink_options={"plain": SLOW}, delivery={"connections_per_lane": 5}) as scene:
            self.scene, self.campaign = scene, str(uuid.uuid4())
            self.nodes = [scene.daemon, scene.add_node("node-2", NODE_2)]
            scene.submit(addresses("c", MESSAGES, ("plain",)), size=min(10_000, MESSAGES // 3), campaign_id=self.campaign)
            scene.submit(addresses("o", OTHERS, ("plain",)), tenant=1)
            scene.wait_for(lambda: self.metric("penguin_pump_enqueued_total") >= MESSAGES + OTHERS, ENDED_WITHIN, "all is in Redis")
            scene.wait_for(lambda: min(self.sent_by_node()) > 0, 60, "both nodes send")

            self.expect_silence_after("pause", self.nodes[1])
            self.assertGreater(self.counts()["queued"], 0, "too late to prove anything")
            before = len(self.arrivals())
            self.put("resume", self.nodes[0])
            scene.wait_for(lambda: len(self.arrivals()) > before, STOPPED_WITHIN * 10, "it goes on")

            begun = self.expect_silence_after("cancel", self.nodes[0])
            scene.wait_for(lambda: self.counts()["queued"] == 0, ENDED_WITHIN, "all have ended")
            counts = self.counts()
            print(f"all {MESSAGES} had ended {time.monotonic() - begun:.1f} s after the cancel: {counts}")
            self.assertEqual(MESSAGES, counts["delivered"] + counts["cancelled"])
            self.assertGreater(counts["cancelled"], MESSAGES // 10)
            with self.assertRaises(ApiError) as refused:
                scene.submit(addresses("late", 1, ("plain",)), campaign_id=self.campaign)
            self.assertEqual([422, "campaign_id"], [refused.exception.status, refused.exception.problem["errors"][0]["field"]])
            scene.wait_for_finals(len(scene.sent))
            books = scene.books()
            self.assertEqual([], books.faults[:5])
            self.assertEqual((0, 0, counts["delivered"] + OTHERS), (books.lost, books.duplicated, books.total.delivered))
            self.assertEqual(0, self.metric("penguin_queue_messages", 'place="paused"'))

    def put(self, verb, node):
        """Asks `node` for it. Gives when it was answered, in Unix milliseconds."""
        Api(node.url, self.scene.tenants[0].key["key"]).post(f"/v1/campaigns/{self.campaign}/{verb}")
        return time.time() * 1000

    def expect_silence_after(self, verb, node):
        """What comes later than STOPPED_WITHIN was in a transaction: one for each open connection at most."""
        begun = time.monotonic()
        answered = self.put(verb, node)
        connections = max(1, self.scene.daemon.connections())
        time.sleep(STOPPED_WITHIN + 2)  # silence can only be waited for
        taken = [line["time_ms"] - answered for line in self.arrivals()]
        late = [at for at in taken if at > STOPPED_WITHIN * 1000]
        print(f"{verb}: {sum(at > 0 for at in taken)} came after it, the last one {max(taken):.0f} ms after; {connections} connections")
        self.assertLessEqual(len(late), connections)
        self.assertEqual([], [at for at in late if at > STOPPED_WITHIN * 1000 + 1500])
        return begun

    def arrivals(self):
        """The campaign's alone."""
        return [line for line in self.scene.world.sinks["plain"].lines() if line["rcpt"].startswith("c")]

    def counts(self):
        return self.scene.tenants[0].api.get(f"/v1/campaigns/{self.campaign}")["counts"]

    def sent_by_node(self):
        return [self.metric("penguin_delivery_outcomes_total", 'kind="delivered"', [node]) for node in self.nodes]

    def metric(self, name, label="", nodes=None):
        """Its sum over nodes and labels."""
        total = 0.0
        for node in nodes or self.nodes:
            total += sum(float(line.rsplit(" ", 1)[1]) for line in Api(node.url).get("/metrics").splitlines()
                         if re.match(rf"{name}[ {{]", line) and label in line)
        return total


if __name__ == "__main__":
    unittest.main()
