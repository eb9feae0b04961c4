#!/usr/bin/python3
"""A tenant's quota over three nodes, with Redis killed and then emptied in the middle: exactly so many of its messages end as
delivered or bounced, another tenant's go on, and what was held goes when the quota is raised.

    PENGUIN_QUOTA_MESSAGES  the quota (default 400); half as many again are submitted
"""
import os
import signal
import subprocess
import time
import unittest

from scene import Scene
from world import addresses

QUOTA = int(os.environ.get("PENGUIN_QUOTA_MESSAGES", "400"))
SUBMITTED = QUOTA * 3 // 2
OTHERS = 50
PATIENCE = 180  # seconds; after FLUSHALL what is queued comes back after 40
SLOW = {"tls": False, "rules": ["phase=body delay-ms=300 code=250 text=ok"]}
NODES = {"node-2": [("127.0.20.5", "mta5.mx.test")], "node-3": [("127.0.20.7", "mta7.mx.test")]}


class Quota(unittest.TestCase):
    def test_no_more_is_sent_than_it_permits_whatever_happens_to_redis(self):
        with Scene("quota", sites=("plain",), sink_options={"plain": SLOW}, delivery={"connections_per_lane": 3}) as scene:
            self.scene = scene
            for name, sources in NODES.items():
                scene.add_node(name, sources)
            self.tenant = scene.tenants[0]
            self.limit(monthly_quota=QUOTA)
            scene.submit(addresses("q", SUBMITTED, ("plain",)))
            scene.wait_for(lambda: self.taken() >= QUOTA // 4, PATIENCE, "a quarter of the quota is sent")
            os.kill(int(self.redis("INFO", "server").split("process_id:")[1].split()[0]), signal.SIGKILL)
            scene.wait_for(lambda: self.taken() >= QUOTA // 2, PATIENCE, "sending goes on after Redis was killed")
            self.redis("FLUSHALL")
            scene.submit(addresses("o", OTHERS, ("plain",)), tenant=1)
            scene.wait_for(lambda: self.usage().get("holds", [{}])[:1] == [self.used_up()], PATIENCE, "the quota is used up")
            scene.wait_for(lambda: self.ended() == QUOTA, PATIENCE, "what was in transactions is in the ledger")
            scene.wait_for(lambda: self.counts(1)["delivered"] == OTHERS, PATIENCE, "another tenant's mail goes on")
            time.sleep(3)  # that nothing more is sent can only be waited for
            self.assertEqual((QUOTA, QUOTA), (self.ended(), self.usage()["used"]))
            self.assertEqual(QUOTA, self.taken(), "and each once")

            self.limit(monthly_quota=QUOTA + 20)
            scene.wait_for(lambda: self.ended() == QUOTA + 20, PATIENCE, "20 more")
            self.limit(monthly_quota=-1)
            scene.wait_for_finals(len(scene.sent), PATIENCE)
            books = scene.books()
            self.assertEqual([], books.faults[:5])
            self.assertEqual((0, 0, SUBMITTED + OTHERS), (books.lost, books.duplicated, books.total.delivered))

    def limit(self, **limits):
        self.scene.daemon.admin().call("PATCH", f"/v1/tenants/{self.tenant.id}", limits)

    def usage(self):
        return self.scene.daemon.admin().get(f"/v1/tenants/{self.tenant.id}")["usage"] or {}

    def used_up(self):
        return {"limit": "tenant_quota", "scope": "tenant", "used": QUOTA, "bound": QUOTA, "until": self.usage().get("until")}

    def counts(self, batch):
        return self.scene.counts()[batch]

    def ended(self):
        return self.counts(0)["delivered"] + self.counts(0)["bounced"]

    def taken(self):
        """Messages of the tenant that receivers have, repetitions too."""
        return sum(line["rcpt"].startswith("q") for line in self.scene.world.sinks["plain"].lines())

    def redis(self, *command):
        socket = self.scene.daemon.state / "run" / "redis.sock"
        return subprocess.run(["redis-cli", "-s", socket, *command], check=True, capture_output=True, text=True, timeout=30).stdout


if __name__ == "__main__":
    unittest.main()
