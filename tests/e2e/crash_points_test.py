#!/usr/bin/python3
"""The daemon dies at each crash point that the sources name, and starts again: nothing is lost, no body more than once a
connection is repeated.

    points  every crash_point("...") in the sources, so a new one is covered without a word here
    chain   start with point k armed, submit batch k, it dies; start with point k+1 armed; it finishes batch k (or dies at
            it), gets batch k+1, ... At the end one clean start finishes everything, and the books are held batch by batch.
    knobs   PENGUIN_CRASH_POINTS: only the points that match this regular expression
"""
import collections
import contextlib
import http.client
import os
import re
import time
import unittest

from scene import ROOT, Scene, WorldError
from world import addresses

MESSAGES = 24            # a batch; half of those at "busy" are deferred once, so the retry is reached too
CONNECTIONS = 4          # a site; what may be repeated at one death is one body on each
SITES = ("plain", "busy")
IDLE_AFTER = 2.0         # seconds without death after the last event: the point is not on this path

# Points that one node with this little mail does not come to, and who kills the process there instead.
ELSEWHERE = {
    "reconcile.enqueue.before": "tests/control/submit/crash_test.cpp",
    "reconcile.enqueue.after": "tests/control/submit/crash_test.cpp",
}


def points_in_sources():
    pattern = re.compile(r'crash_point\(\s*"([^"]+)"')
    found = set()
    for folder in ("engine", "dkim", "control"):
        for path in (ROOT / folder).rglob("*.cpp"):
            found |= set(pattern.findall(path.read_text()))
    wanted = re.compile(os.environ.get("PENGUIN_CRASH_POINTS", ""))
    return sorted(point for point in found if wanted.search(point))


class CrashPoints(unittest.TestCase):
    def test_death_at_each_point(self):
        points = points_in_sources()
        self.assertTrue(points)
        reached = []
        with Scene("crash", SITES, {"busy": {"defer_first": 0.5}},
                   delivery={"connections_per_lane": CONNECTIONS, "connections_per_site": CONNECTIONS}) as scene:
            scene.daemon.stop()
            for number, point in enumerate(points):
                if self.dies_at(scene, point, number):
                    reached.append(point)
            scene.restart()
            books = scene.settle()
            arrivals = scene.world.arrivals()
        self.assertEqual([], books.faults[:5])
        self.assertEqual(0, books.lost)
        self.assertEqual(len(scene.sent), books.total.delivered)
        repeated = {batch: 0 for _, batch in scene.batches}
        for message, copies in collections.Counter(arrival.message for arrival in arrivals).items():
            repeated[message.partition(".")[0]] += copies - 1
        limit = CONNECTIONS * len(SITES)
        self.assertEqual({}, {batch: count for batch, count in repeated.items() if count > limit})
        missed = sorted(set(points) - set(reached) - set(ELSEWHERE))
        print(f"died at {len(reached)} of {len(points)} points; {len(scene.sent)} messages, {books.duplicated} repeated; not reached: {missed}")
        self.assertEqual([], missed, "give the test a way to come there, or name in ELSEWHERE the test that does")

    def dies_at(self, scene, point, number):
        """Starts with the point armed and gives it a batch. True when the daemon died there."""
        died = []

        def revive():
            died.append(True)
            scene.restart()

        start = time.monotonic()
        if not scene.restart(crash_at=point):
            revive()
        scene.submit(addresses(f"c{number}-", MESSAGES, SITES), number % 2, revive=revive)
        if not died:
            self.wait_for_death_or_idle(scene)
            with contextlib.suppress(WorldError):
                scene.daemon.stop()
            died += [True] * scene.daemon.killed()
        else:
            scene.daemon.stop()
        print(f"  {point:40} {'died' if died else 'not reached'} {time.monotonic() - start:5.1f} s", flush=True)
        return bool(died)

    def wait_for_death_or_idle(self, scene):
        deadline, last, since = time.monotonic() + 30, None, time.monotonic()
        tenant, batch = scene.batches[-1]
        while scene.daemon.running() and time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                counts = tenant.api.get(f"/v1/batches/{batch}")["counts"]
                if counts != last:
                    last, since = counts, time.monotonic()
                if counts["queued"] == 0 and time.monotonic() - since > IDLE_AFTER:
                    return
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
