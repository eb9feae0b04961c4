#!/usr/bin/python3
"""Recipients' servers and name servers that drop, stall, babble or lie at each phase: the right verdict, nothing lost.

A row: what the server does wrong, the final event, and the phases at which the events may say that an attempt failed
(empty: the first attempt must have the final outcome).
"""
import unittest

from hostile import Fault, HostileWorld
from lying_dns import LyingDns
from scene import Scene

BEFORE_MAIL = {"connect", "tls", "greeting", "ehlo"}

ROWS = {
    # name: (fault, final kind, phases of deferrals)
    "greeting-drop": (Fault("greeting", "drop"), "delivered", BEFORE_MAIL),
    "greeting-stall": (Fault("greeting", "stall"), "delivered", BEFORE_MAIL),
    "greeting-babble": (Fault("greeting", "babble"), "delivered", BEFORE_MAIL),
    "greeting-endless": (Fault("greeting", "endless"), "delivered", BEFORE_MAIL),
    "greeting-flood": (Fault("greeting", "flood"), "delivered", BEFORE_MAIL),
    "greeting-421": (Fault("greeting", b"421 too busy\r\n"), "delivered", BEFORE_MAIL),
    "greeting-554": (Fault("greeting", b"554 no service here\r\n"), "delivered", BEFORE_MAIL),
    "greeting-354": (Fault("greeting", b"354 go on\r\n"), "delivered", BEFORE_MAIL),
    "greeting-999": (Fault("greeting", b"999 hello\r\n"), "delivered", BEFORE_MAIL),
    "ehlo-drop": (Fault("ehlo", "drop"), "delivered", BEFORE_MAIL),
    "ehlo-stall": (Fault("ehlo", "stall"), "delivered", BEFORE_MAIL),
    "ehlo-babble": (Fault("ehlo", "babble"), "delivered", BEFORE_MAIL),
    "ehlo-flood": (Fault("ehlo", "flood"), "delivered", BEFORE_MAIL),
    "ehlo-unknown": (Fault("ehlo", b"502 what is EHLO\r\n"), "delivered", set()),  # then HELO (RFC 5321 3.2)
    "starttls-drop": (Fault("starttls", "drop"), "delivered", BEFORE_MAIL),
    "starttls-stall": (Fault("starttls", "stall"), "delivered", BEFORE_MAIL),
    "starttls-babble": (Fault("starttls", "babble"), "delivered", BEFORE_MAIL),
    "starttls-junk": (Fault("starttls", b"220 go on\r\nnot TLS at all\r\n"), "delivered", BEFORE_MAIL),
    "starttls-injected": (Fault("starttls", b"220 go on\r\n250 injected\r\n"), "delivered", BEFORE_MAIL),
    "mail-drop": (Fault("mail", "drop"), "delivered", {"mail"}),
    "mail-stall": (Fault("mail", "stall"), "delivered", {"mail"}),
    "mail-babble": (Fault("mail", "babble"), "delivered", {"mail"}),
    "mail-451": (Fault("mail", b"451 4.3.0 later\r\n"), "delivered", {"mail"}),
    "mail-354": (Fault("mail", b"354 go on\r\n"), "delivered", {"mail"}),
    "rcpt-drop": (Fault("rcpt", "drop"), "delivered", {"rcpt"}),
    "rcpt-stall": (Fault("rcpt", "stall"), "delivered", {"rcpt"}),
    "rcpt-babble": (Fault("rcpt", "babble"), "delivered", {"rcpt"}),
    "rcpt-452": (Fault("rcpt", b"452 4.2.2 full\r\n"), "delivered", {"rcpt"}),
    "rcpt-421": (Fault("rcpt", b"421 4.7.0 go away for a while\r\n"), "delivered", {"rcpt"}),
    "rcpt-550": (Fault("rcpt", b"550 5.1.1 no such user\r\n"), "bounced", set()),
    "rcpt-extra": (Fault("rcpt", b"250 ok\r\n250 ok again\r\n"), "delivered", {"data", "body", "rcpt", "mail"}),
    "data-drop": (Fault("data", "drop"), "delivered", {"data"}),
    "data-stall": (Fault("data", "stall"), "delivered", {"data"}),
    "data-babble": (Fault("data", "babble"), "delivered", {"data"}),
    "data-250": (Fault("data", b"250 ok, but no go\r\n"), "delivered", {"data"}),
    "data-451": (Fault("data", b"451 4.3.0 later\r\n"), "delivered", {"data"}),
    "data-554": (Fault("data", b"554 5.7.1 not you\r\n"), "bounced", set()),
    "body-drop": (Fault("body", "drop"), "delivered", {"body"}),
    "body-stall": (Fault("body", "stall"), "delivered", {"body"}),
    "body-babble": (Fault("body", "babble"), "delivered", {"body"}),
    "body-endless": (Fault("body", "endless"), "delivered", {"body"}),
    "body-451": (Fault("body", b"451 4.3.0 disk\r\n"), "delivered", {"body"}),
    "body-554": (Fault("body", b"554 5.7.1 spam\r\n"), "bounced", set()),
    "body-354": (Fault("body", b"354 more\r\n"), "delivered", {"body"}),
    "good": (Fault("none", "none"), "delivered", set()),
}

TIMEOUTS = {"connect": "2s", "tls": "2s", "greeting": "2s", "ehlo": "2s", "mail": "2s", "rcpt": "2s", "data": "2s",
            "body_block": "2s", "final_dot": "2s", "reset": "2s", "quit": "1s"}

DNS_ZONES = {
    "null-01.test": ["@ MX 0 ."],
    "loop-01.test": ["@ MX 10 a", "a CNAME b", "b CNAME a"],
    "nohost-01.test": ["@ MX 10 nothing.mx.test."],
    "private-01.test": ["@ MX 10 inside", "inside A 10.1.2.3"],
    "servfail-01.test": [],
}
DNS_LIES = {"silent-01.test": "silent", "garbage-01.test": "garbage", "servfail-01.test": "servfail"}
DNS_ROWS = {  # domain: (kind of the first event, its class)
    "null-01.test": ("bounced", "null_mx"),
    "nxdomain.null-01.test": ("bounced", "no_such_domain"),
    "private-01.test": ("bounced", "forbidden_target"),
    "silent-01.test": ("deferred", "dns_failed"),
    "garbage-01.test": ("deferred", "dns_failed"),
    "servfail-01.test": ("deferred", "dns_failed"),
    "loop-01.test": ("deferred", "dns_failed"),
    "nohost-01.test": (None, None),  # a host that has no address: bounced or tried again, but never lost
}


class HostileReceivers(unittest.TestCase):
    def test_each_fault_at_each_phase(self):
        faults = {name: fault for name, (fault, _, _) in ROWS.items()}
        with Scene("receivers", world=lambda home: HostileWorld(home, faults), smtp__timeouts=TIMEOUTS) as scene:
            scene.submit([f"someone@{name}-01.test" for name in ROWS])
            books = scene.settle(patience=120)
            events = {}
            for event in sorted(scene.events(), key=lambda event: event["attempt"]):
                events.setdefault(event["recipient"].partition("@")[2].removesuffix("-01.test"), []).append(event)
            self.assertEqual([], books.faults[:5])
            self.assertEqual((0, 0), (books.lost, books.duplicated), [name for name, told in events.items() if any(event["may_be_duplicate"] for event in told)])
            self.assertEqual([], scene.world.sins())
        for name, (_, final, phases) in ROWS.items():
            with self.subTest(name):
                told = [(event["kind"], event["phase"], event["class"], event["reply"][:60]) for event in events[name]]
                self.assertEqual(final, events[name][-1]["kind"], told)
                deferred = {event["phase"] for event in events[name] if event["kind"] == "deferred"}
                self.assertLessEqual(deferred, phases, told)
        with self.subTest("what was lost in the body is marked as possibly twice"):
            for name in ("body-drop", "body-stall"):
                self.assertTrue(events[name][0]["may_be_duplicate"], events[name][0])


class HostileNameServers(unittest.TestCase):
    def test_each_kind_of_bad_dns(self):
        world, front = None, None

        def make(home):
            nonlocal world, front
            world = HostileWorld(home, {"good": ROWS["good"][0]}, extra_zones=DNS_ZONES)
            front = LyingDns(DNS_LIES, world.nameserver.port)
            self.addCleanup(front.close)
            world.nameserver.server = front.server
            return world

        with Scene("receivers-dns", world=make, dns={"timeout": "200ms", "tries": 2}) as scene:
            scene.submit(["someone@good-01.test", *(f"someone@{domain}" for domain in DNS_ROWS)])
            scene.wait_for(lambda: len({event["recipient"] for event in scene.events()}) == len(DNS_ROWS) + 1, 60, "each message has an event")
            first = {}
            for event in sorted(scene.events(), key=lambda event: event["attempt"], reverse=True):
                first[event["recipient"].partition("@")[2]] = event
            self.assertEqual("delivered", first["good-01.test"]["kind"])
            for domain, (kind, klass) in DNS_ROWS.items():
                with self.subTest(domain):
                    event = first[domain]
                    self.assertEqual((kind or event["kind"], klass or event["class"]), (event["kind"], event["class"]), event)


if __name__ == "__main__":
    unittest.main()
