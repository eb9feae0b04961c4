#!/usr/bin/python3
"""The books of the demo must not balance when a message is lost, repeated, misdelivered or told wrongly."""
import unittest

from reconcile import Arrival, Row, Sent, message_of, reconcile

BATCH = "01936f8a-0000-7000-8000-00000000000a"


def sent(index, tenant="acme", site="plain"):
    return Sent(f"{BATCH}.{index}", tenant, f"u{index}@{site}.test", site)


def arrival(index, site="plain", recipient=None):
    return Arrival(f"{BATCH}.{index}", recipient or f"u{index}@{site}.test", site)


def event(index, kind="delivered", latency=10, suffix=""):
    return {"id": f"{BATCH}.{index}:{kind}{suffix}", "message_id": f"{BATCH}.{index}", "kind": kind, "latency_ms": latency}


class Balanced(unittest.TestCase):
    def test_delivered_bounced_and_retried(self):
        books = reconcile([sent(0), sent(1), sent(2, "globex", "busy")], [arrival(0), arrival(2, "busy")],
                          [event(0), event(1, "bounced"), event(2, "deferred"), event(2, latency=30)])
        self.assertTrue(books.balanced, books.faults)
        self.assertEqual((3, 2, 1, 1), (books.total.accepted, books.total.delivered, books.total.bounced, books.total.retried))
        self.assertEqual(1, books.by_site["busy"].retried)
        self.assertEqual(2, books.by_tenant["acme"].accepted)
        self.assertEqual([10, 30], sorted(books.total.latencies))


class NotBalanced(unittest.TestCase):
    def check(self, fault, *args, lost=0, duplicated=0):
        books = reconcile(*args)
        self.assertFalse(books.balanced)
        self.assertEqual((lost, duplicated), (books.lost, books.duplicated))
        if fault:
            self.assertTrue(any(fault in line for line in books.faults), books.faults)

    def test_a_message_without_a_final_event_that_did_not_arrive_is_lost(self):
        self.check("0 final events", [sent(0)], [], [event(0, "deferred")], lost=1)

    def test_a_message_told_as_delivered_that_did_not_arrive_is_lost(self):
        self.check("never arrived", [sent(0)], [], [event(0)], lost=1)

    def test_a_message_that_arrived_without_an_event_is_not_lost_but_wrong(self):
        self.check("0 final events", [sent(0)], [arrival(0)], [])

    def test_a_message_that_arrived_twice_is_a_duplicate(self):
        self.check(None, [sent(0)], [arrival(0), arrival(0)], [event(0)], duplicated=1)

    def test_a_bounced_message_that_arrived(self):
        self.check("bounced, but it arrived", [sent(0)], [arrival(0)], [event(0, "bounced")])

    def test_two_final_events(self):
        self.check("2 final events", [sent(0)], [arrival(0)], [event(0), event(0, "bounced")])

    def test_the_same_event_listed_twice(self):
        self.check("listed 2 times", [sent(0)], [arrival(0)], [event(0), event(0)])

    def test_an_arrival_for_somebody_else(self):
        self.check("was sent to", [sent(0)], [arrival(0, recipient="x@plain.test")], [event(0)])

    def test_an_arrival_that_nobody_sent(self):
        self.check("nobody sent it", [sent(0)], [arrival(0), arrival(7)], [event(0)])

    def test_an_event_of_a_message_that_nobody_sent(self):
        self.check("nobody sent", [sent(0)], [arrival(0)], [event(0), event(9)])

    def test_a_message_id_given_twice(self):
        self.check("given twice", [sent(0), sent(0)], [arrival(0)], [event(0)])

    def test_an_expired_message_is_neither_delivered_nor_bounced(self):
        self.check(None, [sent(0)], [], [event(0, "expired")])


class Parts(unittest.TestCase):
    def test_message_of_a_return_path(self):
        path = "b-01936f8a00007000800000000000000a-7ps-0123456789abcdef@bounce.acme.test"
        self.assertEqual(f"{BATCH}.9999", message_of(path.replace("7ps", "7pr")))
        self.assertEqual(f"{BATCH}.10000", message_of(path))

    def test_other_addresses_name_no_message(self):
        for address in ("", "sales@acme.test", "b-01936f8a-1-0123456789abcdef@x.test"):
            self.assertIsNone(message_of(address))

    def test_percentiles_are_nearest_rank(self):
        row = Row(latencies=list(range(1, 101)))
        self.assertEqual((50, 95, 100), (row.percentile(0.5), row.percentile(0.95), row.percentile(1)))
        self.assertEqual(0, Row().percentile(0.5))
        self.assertEqual(7, Row(latencies=[7]).percentile(0.95))


if __name__ == "__main__":
    unittest.main()
