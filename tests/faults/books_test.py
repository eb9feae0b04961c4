#!/usr/bin/python3
"""The books must tell each kind of fault by its name, and explain only what a lost 250 explains."""
import unittest

from books import Books
from explained import Copy, Incident, explain, outage
from figures import figures
from people import must_bounce, recipient, serial_of

BATCH = "01936f8a-0000-7000-8000-00000000000a"


def books(first=1, count=3, state="enqueued", **client):
    made = Books()
    made.accepted(BATCH, first, count, **client)
    made.batch(BATCH, count, count, state)
    return made


def deliver(made, *indices, first=1):
    for index in indices:
        made.arrival(f"{BATCH}.{index}", recipient(first + index))
        made.event(BATCH, index, "delivered", False)
    return made


class Recipients(unittest.TestCase):
    def test_each_is_known_by_its_serial(self):
        for serial in range(1, 1000):
            self.assertEqual(serial, serial_of(recipient(serial)))
            self.assertEqual(must_bounce(serial), "@nobody-" in recipient(serial))

    def test_others_are_not_ours(self):
        for address in ("", "m1@plain.test", "n1@plain-01.test", "m1@plain-01.test.example"):
            self.assertIsNone(serial_of(address))


class Judged(unittest.TestCase):
    def check(self, made, **wanted):
        counts = made.close().counts
        seen = {name: counts[name] for name in ("lost", "stuck", "wrongly_bounced", "duplicated", "queued", "miscounted", "stranger",
                                                "misdelivered", "ended_twice") if counts[name]}
        self.assertEqual(wanted, seen, made.examples)
        return counts

    def test_all_is_well(self):
        counts = self.check(deliver(books(), 0, 1, 2))
        self.assertEqual((3, 3), (counts["accepted"], counts["delivered"]))

    def test_lost(self):
        self.check(deliver(books(), 0, 1), lost=1)
        never_arrived = deliver(books(), 0, 1)
        never_arrived.event(BATCH, 2, "delivered", False)
        self.check(never_arrived, lost=1)
        unknown = Books()
        unknown.accepted(BATCH, 1, 3)
        self.check(unknown, lost=3)

    def test_still_there(self):
        for place, wanted in (("due", {"queued": 1}), ("hand:node-1", {"stuck": 1}), ("ready", {"stuck": 1})):
            made = deliver(books(), 0, 1)
            made.queued(f"{BATCH}.2", place)
            self.check(made, **wanted)
        self.check(deliver(books(state="accepted"), 0, 1), stuck=1)

    def test_arrived_but_nobody_says_so(self):
        made = deliver(books(), 0, 1)
        made.arrival(f"{BATCH}.2", recipient(3))
        self.check(made, stuck=1)

    def test_bounces(self):
        for kind in ("bounced", "expired", "suppressed", "cancelled"):
            made = deliver(books(), 0, 1)
            made.event(BATCH, 2, kind, False)
            self.check(made, wrongly_bounced=1)
        rightly = books(first=97, count=1)
        rightly.event(BATCH, 0, "bounced", False)
        self.check(rightly)
        cancelled = deliver(books(cancelled=True), 0, 1)
        cancelled.event(BATCH, 2, "cancelled", False)
        self.check(cancelled)
        cancelled.arrival(f"{BATCH}.2", recipient(3))
        self.check(cancelled, wrongly_bounced=1)

    def test_what_nobody_sent_or_asked_for(self):
        made = deliver(books(), 0, 1, 2)
        made.event(BATCH, 3, "delivered", False)
        made.arrival("01936f8a-0000-7000-8000-00000000000b.0", "m1@plain-01.test")
        self.check(made, stranger=2)
        made = deliver(books(), 0, 1, 2)
        made.batch(BATCH, 4, 4, "enqueued")
        self.check(made, miscounted=1)
        made = deliver(books(), 0, 1)
        made.arrival(f"{BATCH}.2", recipient(4))
        made.event(BATCH, 2, "delivered", False)
        self.check(made, misdelivered=1)

    def test_ended_twice_unless_late(self):
        made = deliver(books(), 0, 1, 2)
        made.event(BATCH, 2, "delivered", True)
        self.check(made)
        made.event(BATCH, 2, "delivered", False)
        self.check(made, ended_twice=1)

    def test_refused_recipients_move_the_others_up(self):
        made = Books()
        made.accepted(BATCH, 1, 4, refused=[1])
        made.batch(BATCH, 3, 3, "enqueued")
        for index, serial in enumerate((1, 3, 4)):
            made.arrival(f"{BATCH}.{index}", recipient(serial))
            made.event(BATCH, index, "delivered", False)
        self.check(made)

    def test_a_batch_whose_client_never_heard(self):
        made = Books()
        made.batch(BATCH, 1, 1, "enqueued", first=1)
        made.event(BATCH, 0, "delivered", False)
        self.check(made, lost=1)
        self.assertEqual((0, 1), (made.close().counts["accepted"], made.close().counts["untold"]))


class Repeated(unittest.TestCase):
    def copy(self, at, last=True, node="node-1", next_at=None):
        return Copy(at, node, f"127.0.2.{node[-1]}", next_at or (float("inf") if last else at + 0.1))

    def test_nothing_explains(self):
        self.assertEqual((0, 1), self.counts([self.copy(10), self.copy(20)]))

    def test_a_doubtful_event_of_the_same_source_explains_one(self):
        copies = [self.copy(10, last=False), self.copy(20, last=False), self.copy(30)]
        self.assertEqual((1, 1), self.counts(copies, ["127.0.2.1"]))
        self.assertEqual((2, 0), self.counts(copies, ["127.0.2.1", "127.0.2.1"]))
        self.assertEqual((0, 2), self.counts(copies, ["127.0.2.2"]))

    def test_a_killed_node_explains_the_last_body_of_a_connection(self):
        killed = [Incident("node-1", 11.0, "kill")]
        self.assertEqual((1, 0), self.counts([self.copy(10), self.copy(20)], incidents=killed))
        self.assertEqual((0, 1), self.counts([self.copy(10, last=False), self.copy(20)], incidents=killed))
        self.assertEqual((0, 1), self.counts([self.copy(10, node="node-2"), self.copy(20)], incidents=killed))
        self.assertEqual((0, 1), self.counts([self.copy(5), self.copy(20)], incidents=killed))
        self.assertEqual((1, 0), self.counts([self.copy(13), self.copy(20)], incidents=killed))
        self.assertEqual((0, 1), self.counts([self.copy(15), self.copy(20)], incidents=killed))

    def test_a_stopped_node_may_use_the_connection_again_afterwards(self):
        stopped = [Incident("node-1", 11.0, "SIGSTOP")]
        self.assertEqual((1, 0), self.counts([self.copy(10, next_at=56), self.copy(45)], incidents=stopped))
        self.assertEqual((0, 1), self.counts([self.copy(10, next_at=12), self.copy(45)], incidents=stopped))

    def test_time_without_redis_does_not_count(self):
        killed = [Incident("node-1", 30.0, "kill")]
        self.assertEqual((1, 0), self.counts([self.copy(10), self.copy(40)], incidents=killed, away=[(10.5, 29.5)]))
        self.assertEqual((0, 1), self.counts([self.copy(10), self.copy(40)], incidents=killed, away=[(10.5, 20)]))

    def test_outage(self):
        self.assertEqual(3.0, outage([(0, 2), (5, 7)], 1, 9))

    def counts(self, copies, doubtful=(), incidents=(), away=()):
        explained, without = explain(copies, doubtful, incidents, away)
        return explained, len(without)

    def test_the_books_count_what_was_explained(self):
        made = deliver(books(), 0, 1, 2)
        made.arrival(f"{BATCH}.1", recipient(2))
        self.assertEqual({f"{BATCH}.1"}, made.doubles())
        out = figures(made.close({f"{BATCH}.1": (1, "")}), 7, 3, {}, [])
        self.assertEqual((1, 1, []), (out["duplicated"], out["duplicated_explained"], out["failures"]))
        out = figures(made.close(), 7, 3, {"entries in due": 2}, ["node-1 crashed"])
        self.assertEqual(["repeated without explanation 1", "leaked entries in due: 2", "node-1 crashed"], out["failures"])


if __name__ == "__main__":
    unittest.main()
