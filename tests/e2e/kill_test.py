#!/usr/bin/python3
"""kill -9 in the middle of a run, then a new start: nothing is lost, and only what was on the wire may come twice.

    PENGUIN_KILL_MESSAGES  how many (default 1500)
"""
import os
import unittest

from scene import Scene
from world import addresses

MESSAGES = int(os.environ.get("PENGUIN_KILL_MESSAGES", "1500"))


class Killed(unittest.TestCase):
    def test_kill_9_loses_nothing_and_repeats_at_most_one_body_a_connection(self):
        with Scene("kill", sites=("plain", "busy", "spare")) as scene:
            for tenant in (0, 1):
                scene.submit(addresses(f"k{tenant}-", MESSAGES // 2, ("plain", "busy", "spare")), tenant)
            scene.wait_for_finals(MESSAGES // 4)
            open_connections = scene.daemon.connections()
            scene.daemon.kill()
            before = len(scene.world.arrivals())
            self.assertLess(before, MESSAGES, "killed too late to prove anything")
            scene.restart()
            books = scene.settle()
            print(f"{MESSAGES} messages, killed after {before} arrivals with {open_connections} connections open: "
                  f"lost {books.lost}, duplicated {books.duplicated}")
            self.assertEqual([], books.faults[:5])
            self.assertEqual(0, books.lost)
            self.assertLessEqual(books.duplicated, open_connections)
            self.assertEqual(len(scene.sent), books.total.delivered)


if __name__ == "__main__":
    unittest.main()
