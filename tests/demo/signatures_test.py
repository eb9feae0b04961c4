#!/usr/bin/python3
"""The signature check must see a changed body, a wrong key, a missing signature and a foreign d=."""
import base64
import subprocess
import unittest

import dkim

import signatures

MESSAGE = b"From: Ann <sales@acme.test>\r\nTo: bob@plain.test\r\nSubject: hi\r\n\r\nHello\r\n"


def key_pair():
    pem = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=pem, capture_output=True, check=True).stdout
    return pem, b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


class Signatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pem, cls.record = key_pair()

    def signed(self, domain=b"acme.test"):
        return dkim.sign(MESSAGE, b"s1", domain, self.pem, include_headers=[b"from", b"to", b"subject"]) + MESSAGE

    def check(self, raw, record=None, expected=1):
        names = []
        checked, valid, faults = signatures.check([("m", raw)], lambda name: names.append(name) or record or self.record, expected)
        return checked, valid, faults, names

    def test_a_good_one(self):
        self.assertEqual((1, 1, [], ["s1._domainkey.acme.test."]), self.check(self.signed()))

    def test_the_second_signature_counts_too(self):
        twice = dkim.sign(self.signed(), b"s2", b"acme.test", self.pem, include_headers=[b"from"]) + self.signed()
        self.assertEqual((2, 2, []), self.check(twice, expected=2)[:3])

    def test_a_changed_body(self):
        checked, valid, faults, _ = self.check(self.signed().replace(b"Hello", b"Hullo"))
        self.assertEqual((1, 0, 1), (checked, valid, len(faults)))

    def test_another_key_in_the_dns(self):
        self.assertEqual((1, 0), self.check(self.signed(), key_pair()[1])[:2])

    def test_no_key_in_the_dns(self):
        checked, valid, faults = signatures.check([("m", self.signed())], lambda name: None)
        self.assertEqual((1, 0, 1), (checked, valid, len(faults)))

    def test_no_signature(self):
        self.assertEqual((0, 0, ["m: 0 signatures"]), self.check(MESSAGE)[:3])

    def test_the_signature_of_another_domain(self):
        checked, valid, faults, _ = self.check(self.signed(b"globex.test"))
        self.assertEqual((1, 0), (checked, valid))
        self.assertIn("not the From domain", faults[0])


if __name__ == "__main__":
    unittest.main()
