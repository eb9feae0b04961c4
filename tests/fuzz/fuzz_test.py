#!/usr/bin/python3
"""What ./dev fuzz reads out of a log, what it takes for arguments, and the pure parts of the campaign against the API."""
import contextlib
import io
import json
import pathlib
import random
import tempfile
import unittest

import api_seeds
import fuzz
import libfuzzer_log
from api_document import Document
from api_judge import complaints, signature
from api_maker import Maker, members, members_of_text, text_of

OPENAPI = fuzz.OPENAPI

LOG = """INFO: Seed: 7
#5	INITED cov: 410 ft: 1033 corp: 4/31b exec/s: 0 rss: 44Mb
#9	NEW    cov: 412 ft: 1040 corp: 5/32b lim: 4 exec/s: 0 rss: 44Mb L: 1/30 MS: 1 ChangeBit-
#1024	pulse  cov: 413 ft: 1041 corp: 5/32b lim: 14 exec/s: 512 rss: 45Mb
#2048	DONE   cov: 420 ft: 1050 corp: 9/52b lim: 14 exec/s: 512 rss: 45Mb
Done 2048 runs in 2 second(s)
stat::number_of_executed_units: 2048
""".splitlines()

CRASH = LOG[:3] + ["/x/tests/fuzz/journal.cpp:90: does not hold", "==7== ERROR: libFuzzer: deadly signal", "SUMMARY: libFuzzer: deadly signal",
                   "artifact_prefix='f/'; Test unit written to f/crash-12ab", "stat::number_of_executed_units: 31"]


class Log(unittest.TestCase):
    def test_a_run_without_findings(self):
        self.assertEqual(libfuzzer_log.Progress(2048, 410, 420, []), libfuzzer_log.read(LOG))

    def test_a_crash_is_told_by_what_does_not_hold(self):
        progress = libfuzzer_log.read(CRASH, 77)
        self.assertEqual((31, 410, 412), (progress.runs, progress.coverage_start, progress.coverage_end))
        self.assertEqual([libfuzzer_log.Finding("crash", "/x/tests/fuzz/journal.cpp:90: does not hold", "f/crash-12ab")], progress.findings)

    def test_kinds_are_in_the_files_names(self):
        for name, kind in (("a/leak-1", "leak"), ("timeout-1", "timeout"), ("oom-1", "oom"), ("slow-unit-1", "slow-unit"), ("x", "crash")):
            self.assertEqual(kind, libfuzzer_log.kind_of(name))

    def test_a_sanitizers_summary_comes_before_or_after_the_file(self):
        written = "Test unit written to f/leak-1"
        for lines in (["SUMMARY: AddressSanitizer: 5 byte(s) leaked", written], [written, "SUMMARY: AddressSanitizer: 5 byte(s) leaked"]):
            self.assertEqual("AddressSanitizer: 5 byte(s) leaked", libfuzzer_log.read(lines).findings[0].why)

    def test_a_program_that_fails_without_a_file_is_a_finding(self):
        self.assertEqual([libfuzzer_log.Finding("ended", "status -9", "")], libfuzzer_log.read(LOG, -9).findings)
        self.assertEqual([], libfuzzer_log.read([]).findings)


class Arguments(unittest.TestCase):
    def refused(self, *given):
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as ended:
            fuzz.arguments(list(given))
        self.assertEqual(2, ended.exception.code)
        return said.getvalue()

    def test_seconds_then_targets(self):
        args, chosen = fuzz.arguments(["5", "jwt", "api", "--seed", "9", "jwt"])
        self.assertEqual((5, 9, ["jwt", "api"]), (args.seconds, args.seed, [target.name for target in chosen]))

    def test_all_targets_when_none_is_named(self):
        args, chosen = fuzz.arguments([])
        self.assertEqual(fuzz.SECONDS, args.seconds)
        self.assertEqual(["api", *fuzz.libfuzzer_names()], [target.name for target in chosen])

    def test_what_is_wrong_is_named(self):
        for given in (["x"], ["0"], ["-5"], ["1.5"], ["99999999"], ["5", "--seed", "0"], ["5", "--jobs", "0"]):
            self.assertTrue(self.refused(*given).startswith("fuzz: "), given)
        self.assertIn("'jwtt', 'no'", self.refused("5", "jwtt", "jwt", "no"))
        self.assertIn("strict_json", self.refused("5", "jwtt"))

    def test_each_target_has_seeds(self):
        for name in fuzz.libfuzzer_names():
            self.assertTrue(list((fuzz.HERE / "corpus" / name).iterdir()), name)


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = Document(OPENAPI.read_text(encoding="utf-8"))

    def maker(self, seed=1):
        return Maker(random.Random(seed), self.document, api_seeds.KNOWN)

    def test_unspoiled_bodies_are_json_with_described_fields(self):
        maker = self.maker()
        for operation in self.document.operations:
            request = maker.request(operation, spoils=0)
            self.assertIs(operation, self.document.match(operation.method, request.target))
            if operation.body:
                self.assertLessEqual(set(json.loads(request.body.encode("latin-1"))), set(operation.body["properties"]), operation.id)

    def test_the_same_seed_gives_the_same_requests(self):
        def some(seed):
            maker = self.maker(seed)
            return [maker.request(operation) for operation in self.document.operations * 5]
        self.assertEqual(some(3), some(3))
        self.assertNotEqual(some(3), some(4))

    def test_a_field_may_come_twice(self):
        text = '{"a":1,"a":[{"b":null}]}'
        self.assertEqual(text, text_of(members_of_text(text)))
        self.assertEqual('{"a":"\u00e9"}', text_of(members({"a": "\u00e9"})))

    def test_seeds_are_of_every_operation(self):
        with tempfile.TemporaryDirectory() as folder:
            api_seeds.write(OPENAPI, pathlib.Path(folder), 1, fuzz.LENGTH_MAX)
            names = {file.name.rpartition("-")[0] for file in pathlib.Path(folder).iterdir()}
            self.assertEqual({operation.id for operation in self.document.operations}, names)
        self.assertIn('"\\"recipients\\""\n', api_seeds.dictionary(OPENAPI))


class Judge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = Document(OPENAPI.read_text(encoding="utf-8"))
        cls.get_pool = cls.document.match("GET", "/v1/pools/default")

    def of(self, status, body, content_type="application/json", **headers):
        text = body if isinstance(body, str) else json.dumps(body)
        sent = {"X-Request-Id": "1", "Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return complaints(self.document, self.get_pool, status, sent, text, ["secret"])

    def problem(self, **changes):
        return {"type": "about:blank", "title": "x", "status": 422, "code": "validation_failed", "detail": "d", "instance": "urn:uuid:1",
                "errors": [{"field": "name", "code": "required", "detail": "d"}], **changes}

    def test_what_may_be(self):
        self.assertEqual([], self.of(200, {"name": "default", "description": "", "created_at": "2026-11-24T04:29:07.000Z"}))
        self.assertEqual([], self.of(422, self.problem(), "application/problem+json"))
        self.assertEqual([], self.of(503, self.problem(status=503, code="unavailable"), "application/problem+json", Retry_After="5"))

    def test_what_may_not(self):
        kind = "application/problem+json"
        wrong = [(200, {"name": "default", "description": "", "created_at": "yesterday"}), (200, {"name": "default"}),
                 (200, {"name": "secret", "description": "", "created_at": "2026-11-24T04:29:07.000Z"}), (200, "{"), (201, {}),
                 (422, self.problem(errors=[]), kind), (422, self.problem(code="nonsense"), kind), (400, self.problem(), kind),
                 (422, self.problem(errors=[{"field": "", "code": "required", "detail": ""}]), kind), (422, self.problem()),
                 (503, self.problem(status=503, code="unavailable"), kind),
                 (500, self.problem(status=500, code="internal_error"), kind), (302, "")]
        for answer in wrong:
            self.assertTrue(self.of(*answer), answer)

    def test_a_signature_tells_kinds_of_answers_apart(self):
        self.assertEqual(("getPool", 422, "validation_failed", "required"), signature(self.get_pool, 422, json.dumps(self.problem())))
        self.assertEqual(("-", 404, "?"), signature(None, 404, "no JSON"))


if __name__ == "__main__":
    unittest.main()
