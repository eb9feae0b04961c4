#!/usr/bin/python3
"""Debian's Postfix, as strict as it gets, takes our mail over TLS and has nothing to complain about."""
import unittest

from scene import Scene
import signatures  # scene knows where it is
from world import addresses

MESSAGES = 300


class StrictPostfix(unittest.TestCase):
    def test_it_takes_everything_over_tls_without_a_warning(self):
        with Scene("postfix", sites=("postfix",)) as scene:
            for tenant in (0, 1):
                scene.submit(addresses(f"p{tenant}-", MESSAGES // 2, ("postfix",)), tenant)
            books = scene.settle()
            postfix = scene.world.postfix
            self.assertEqual([], books.faults[:5])
            self.assertEqual((MESSAGES, 0, 0), (books.total.delivered, books.lost, books.duplicated))
            self.assertEqual([], postfix.complaints())
            self.assertGreater(len(postfix.tls_connections()), 0)
            self.assertTrue(set(postfix.tls_connections()) <= {"TLSv1.3", "TLSv1.2"})
            self.assertTrue(all(event["tls"] for event in scene.events() if event["kind"] == "delivered"))
            checked, valid, wrong = signatures.check([(label, read()) for label, read in postfix.messages()], scene.world.nameserver.txt)
            self.assertEqual([], wrong[:5])
            self.assertEqual((MESSAGES, MESSAGES), (checked, valid))


if __name__ == "__main__":
    unittest.main()
