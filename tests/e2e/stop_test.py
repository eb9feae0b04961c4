#!/usr/bin/python3
"""SIGTERM in the middle of a run: exit status 0, the rest is handed back, and after a new start all of it goes out once."""
import unittest

from scene import Scene
from world import addresses

MESSAGES = 1200


class Stopped(unittest.TestCase):
    def test_a_graceful_stop_loses_and_repeats_nothing(self):
        with Scene("stop", sites=("plain", "busy")) as scene:
            scene.submit(addresses("s", MESSAGES, ("plain", "busy")))
            scene.wait_for_finals(MESSAGES // 5)
            self.assertEqual(0, scene.daemon.stop())
            before = len(scene.world.arrivals())
            self.assertLess(before, MESSAGES, "stopped too late to prove anything")
            scene.restart()
            books = scene.settle()
            self.assertEqual([], books.faults[:5])
            self.assertEqual((0, 0, MESSAGES), (books.lost, books.duplicated, books.total.delivered))
            self.assertEqual(0, scene.daemon.stop(), "an idle daemon stops cleanly as well")


if __name__ == "__main__":
    unittest.main()
