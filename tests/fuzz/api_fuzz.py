#!/usr/bin/python3
"""Requests that are nearly right against the daemon itself, with its own Redis and PostgreSQL: target `api` of ./dev fuzz.

    in      --bin (the programs, built with sanitizers), --work (its state), --seconds, --seed; --corpus, --findings: folders
    out     libFuzzer's forms on stdout ("cov" counts kinds of answers); a file a finding; --again FILE sends one once more
    rules   api_judge.py for each answer; the daemon lives, and stops when told; its memory has a bound; an answer comes in ANSWER_MAX;
            a tenant whose credential nobody has given away has the same things at the end as at the beginning
    status  0, or 1 when there are findings
"""
import argparse
import contextlib
import dataclasses
import hashlib
import http.client
import json
import pathlib
import random
import re
import shutil
import signal
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "demo"))

import campaign  # noqa: E402
from api import ApiError  # noqa: E402
from api_document import Document  # noqa: E402
from api_judge import complaints, signature  # noqa: E402
from api_maker import Maker, Request  # noqa: E402
from daemon import NODE, POOL, Daemon, home_of  # noqa: E402
from nameserver import Nameserver  # noqa: E402
from processes import WorldError  # noqa: E402

WORKERS = 3          # connections
ANSWER_MAX = 20      # seconds; with all sanitizers
MEMORY_MAX = 2048    # MiB of the daemon; AddressSanitizer's own is in it
RESTOCK_EVERY = 20   # seconds: what requests have deleted is made again
FINDINGS_MAX = 20
KEPT_BEFORE = 5      # requests before the one that failed, for its file
DOMAINS = {"acme": "acme.test", "globex": "globex.test"}
# The daemon forbids others to look into it, so LeakSanitizer cannot; the unit targets look for leaks.
SANITIZED = {"ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=64", "UBSAN_OPTIONS": "print_stacktrace=1",
             "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19"}


class Stage:
    """The daemon, two tenants that look alike, and a spare one for the platform's calls. `known`: names of what is there."""

    def __init__(self, args):
        self.program, self.home = args.bin / "penguin-mta", home_of(args.work)
        for old in ("daemon", "dns"):
            shutil.rmtree(self.home / old, ignore_errors=True)
        self.secret = f"zq{args.seed:x}qz"  # in all that is globex's and that no request says
        self.nameserver = Nameserver(self.home / "dns", {domain: [] for domain in DOMAINS.values()})
        self.daemon, self.stack = None, contextlib.ExitStack()
        self.admin = self.acme = self.globex = None
        self.known, self.platform_known, self.stocked = {}, {}, 0

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            (self.home / "dns").mkdir(parents=True, exist_ok=True)
            stack.enter_context(self.nameserver)
            self.daemon = Daemon(self.program, self.home / "daemon", name_server=self.nameserver.server,
                                 smtp_port=1, log={"level": "warning"}, delivery={"retry_ladder": ["1s", "1h"]})
            stack.callback(lambda: self.daemon.child and self.daemon.child.stop_quietly(30))
            self.daemon.start(env=SANITIZED)
            self.admin = self.daemon.admin()
            self.acme, self.globex = self._tenants()
            self.restock()
            self._stock(self.globex, "globex", self.secret)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def restart(self):
        self.daemon.child.stop_quietly(30)
        self.daemon.start(env=SANITIZED)

    def restock(self):
        self._stock(self.acme, "acme", "plain")
        self._stock_platform()

    def _tenants(self):
        campaign.make_pool(self.admin, POOL, NODE, [("127.0.20.1", "mta1.mx.test")])
        tenants = [campaign.make_tenant(self.admin, name if name == "acme" else self.secret, domain, POOL)
                   for name, domain in DOMAINS.items()]
        campaign.publish_and_verify(tenants, self.nameserver)
        return tenants

    def _stock(self, tenant, name, word):
        """Things that calls may name, and delete."""
        self.stocked += 1
        api, serial = tenant.api, self.stocked
        sender = f"sales@{tenant.domain}"
        batch = api.post("/v1/batches", {"raw": {"message": f"From: {sender}\nSubject: {word}\n\n{word}\n"},
                                         "recipients": [{"email": f"{word}{serial}@nowhere.test", "name": word}] * 2})["id"]
        domain = api.post("/v1/domains", {"name": f"d{serial}.{tenant.domain}"})["name"]
        api.post("/v1/suppressions", {"address": f"{name}{serial}@known.test", "reason": word})
        key = api.post("/v1/api-keys", {"name": word, "scopes": ["events:read"]})
        for other in range(2):  # so that a list has a second page
            api.post("/v1/suppressions", {"address": f"{word}{serial}.{other}@other.test", "reason": word})
        self.known.update({f"{name}.tenant": tenant.id, f"{name}.batch": batch, f"{name}.message": f"{batch}.0", f"{name}.domain": domain,
                           f"{name}.address": f"{name}{serial}@known.test", f"{name}.key": key["id"]})
        if name == "acme":
            self.known["acme.sender"] = sender
        for place, path in enumerate(("batches", "suppressions", "domains")):
            cursor = api.get(f"/v1/{path}?limit=1")["next_cursor"]
            if cursor and self.secret not in cursor:
                self.known[f"{name}.cursor{place}"] = cursor

    def _stock_platform(self):
        serial = self.stocked
        tenant = self.admin.post("/v1/tenants", {"name": "spare", "pool": POOL})["id"]
        pool = self.admin.post("/v1/pools", {"name": f"spare-{serial}"})["name"]
        source = self.admin.post("/v1/sources", {"address": f"192.0.2.{serial % 256}", "ehlo_name": "mta.mx.test", "pool": pool,
                                                 "node": f"spare-{serial}"})["id"]
        key = self.admin.post(f"/v1/tenants/{tenant}/api-keys", {"name": "spare", "scopes": ["events:read"]})["id"]
        cursor = self.admin.get("/v1/tenants?limit=1")["next_cursor"]
        self.platform_known = {"spare.tenant": tenant, "spare.pool": pool, "spare.source": source, "spare.key": key, "spare.cursor": cursor}

    def belongings(self):
        """All that globex has, and that nothing but its own calls may change."""
        api = self.globex.api
        lists = {path: sorted(json.dumps(one, sort_keys=True) for one in api.pages(f"/v1/{path}"))
                 for path in ("domains", "suppressions", "api-keys")}
        return {**lists, "batches": sorted(one["id"] for one in api.pages("/v1/batches"))}

    def token(self, caller):
        return {"acme": self.acme.api.token, "platform": self.admin.token, "nobody": None}[caller]

    def memory(self):
        """MiB resident."""
        with contextlib.suppress(OSError, AttributeError, TypeError):
            status = pathlib.Path(f"/proc/{self.daemon.child.pid}/status").read_text()
            return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024
        return 0


class Wire:
    """One connection, opened again when it was closed."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def send(self, request, token):
        """(status, headers, body as text). Errors: OSError, HTTPException: no answer, twice."""
        headers = dict(request.headers)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = None if request.body is None else request.body.encode("latin-1")
        for again in (True, False):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_MAX)
            try:
                self.connection.request(request.method, request.target, body, headers)
                response = self.connection.getresponse()
                return response.status, dict(response.headers), response.read().decode("utf-8")
            except (OSError, http.client.HTTPException):
                self.close()
                if fresh or not again:
                    raise
        return None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Campaign:
    def __init__(self, args, stage, document):
        self.args, self.stage, self.document = args, stage, document
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.runs, self.seen, self.findings, self.corpus = 0, set(), {}, []
        self.pause = threading.RLock()
        for file in sorted(args.corpus.iterdir() if args.corpus else []):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                told = json.loads(file.read_text())
                self.corpus.append((told["caller"], Request(**told["request"])))

    def run(self, seconds):
        before = self.stage.belongings()
        self.examples()
        print(f"#{self.runs}\tINITED cov: {len(self.seen)}", flush=True)
        workers = [threading.Thread(target=self.work, args=(number,)) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        deadline, stock_at = time.monotonic() + seconds, time.monotonic() + RESTOCK_EVERY
        try:
            while time.monotonic() < deadline and not self.ended.wait(1):
                if self.stage.memory() > MEMORY_MAX:
                    self.found("oom", "memory", f"the daemon has {self.stage.memory()} MiB", {})
                    break
                if time.monotonic() > stock_at:
                    stock_at = time.monotonic() + RESTOCK_EVERY
                    self.restock()
                    print(f"#{self.runs}\tPULSE cov: {len(self.seen)} rss: {self.stage.memory()}Mb", flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        self.ended.set()
        for worker in workers:
            worker.join()
        self.last_words(before)
        print(f"#{self.runs}\tDONE cov: {len(self.seen)} rss: {self.stage.memory()}Mb", flush=True)

    def restock(self):
        try:
            self.stage.restock()
        except (OSError, http.client.HTTPException):
            pass  # the daemon died: a worker says so
        except (ApiError, WorldError) as error:
            self.found("crash", "restock", f"an ordinary call failed: {error}", {})

    def examples(self):
        """Each operation once as it should be, and what earlier runs kept."""
        wire, rng = Wire(self.stage.daemon.port), random.Random(self.args.seed)
        for operation in self.document.operations:
            caller = caller_of(operation)
            self.play(wire, caller, self.maker(rng, caller).request(operation, spoils=0), [])
        for caller, request in list(self.corpus):
            self.play(wire, caller, self.filled(request), [])
        wire.close()

    def maker(self, rng, caller):
        return Maker(rng, self.document, self.stage.platform_known if caller == "platform" else self.stage.known)

    def work(self, number):
        try:
            self.send_until_ended(number)
        except Exception:  # pylint: disable=broad-except  # a campaign that stopped by itself found nothing, and must not look so
            self.found("crash", "campaign", f"the campaign itself failed: {traceback.format_exc()}", {})

    def send_until_ended(self, number):
        weights = [2 + self.document.size(one.body) for one in self.document.operations]
        rng, wire, before = random.Random(f"{self.args.seed}.{number}"), Wire(self.stage.daemon.port), []
        while not self.ended.is_set():
            operation = rng.choices(self.document.operations, weights)[0]
            caller = caller_of(operation) if rng.randrange(30) else rng.choice(("acme", "platform", "nobody"))
            if caller == "platform" and operation.audience == "tenant":
                caller = "nobody"  # globex's things are no business of this campaign's platform
            maker = self.maker(rng, caller)
            request = maker.request(operation)
            if self.corpus and rng.randrange(5) == 0:
                caller, base = rng.choice(self.corpus)
                request = self.filled(base)
                if request.body:
                    request.body = maker.spoil_text(request.body)
            self.play(wire, caller, request, before)
            before = [*before, (caller, request)][-KEPT_BEFORE:]
        wire.close()

    def play(self, wire, caller, request, before):
        operation = self.document.match(request.method, request.target)
        record = {"caller": caller, "request": request, "before": before}
        try:
            status, headers, body = wire.send(request, self.stage.token(caller))
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            self.unanswered(record, error)
            return []
        secrets = [self.stage.secret] if caller != "platform" else []
        wrong = complaints(self.document, operation, status, headers, body, secrets)
        mark = signature(operation, status, body)
        with self.lock:
            self.runs += 1
            new = mark not in self.seen
            self.seen.add(mark)
        if wrong:
            self.found("crash", f"{mark[0]} {re.sub('[0-9]+', 'N', wrong[0])}", "; ".join(wrong), {**record, "status": status, "answer": body[:2000]})
        elif new and self.args.corpus:
            self.keep(caller, request, mark)
        return wrong

    def unanswered(self, record, error):
        with self.pause:
            time.sleep(0.5)  # a process that is dying has to get there
            if self.stage.daemon.running():
                if not self.ended.is_set():
                    self.found("timeout", f"no answer {type(error).__name__}", f"no answer: {error!r}", record)
                return
            why = sanitizers_words(self.stage.daemon.log) or f"status {self.stage.daemon.child.process.returncode}"
            self.found("crash", why, f"the daemon died: {why}", record)
            try:
                self.stage.restart()
            except WorldError as dead:
                self.found("crash", "restart", f"it does not start again: {dead}", {})
                self.ended.set()

    def last_words(self, before):
        try:
            if self.stage.belongings() != before:
                self.found("crash", "belongings", "what another tenant has was changed", {"was": before, "is": self.stage.belongings()})
            status = self.stage.daemon.stop()
            if status != 0:
                self.found("crash", "stop", f"stopped with status {status}", {})
        except (OSError, http.client.HTTPException, ApiError, WorldError) as error:
            self.found("crash", "end", f"at the end: {error}", {})
        if why := sanitizers_words(self.stage.daemon.log):
            self.found("crash", why, why, {})

    def found(self, kind, mark, why, record):
        with self.lock:
            if mark in self.findings or len(self.findings) >= FINDINGS_MAX:
                return
            file = self.args.findings / f"{kind}-{hashlib.sha1(mark.encode()).hexdigest()[:12]}.json"
            self.findings[mark] = file
        known = {**self.stage.known, **self.stage.platform_known}
        file.write_text(json.dumps({"why": why, "seed": self.args.seed, "known": known, **record}, default=plain, indent=1))
        print(f"SUMMARY: {why[:300]}\nTest unit written to {file}", flush=True)

    def keep(self, caller, request, mark):
        request = dataclasses.replace(request, target=self.emptied(request.target), body=request.body and self.emptied(request.body))
        name = hashlib.sha1(repr(mark).encode()).hexdigest()[:16]
        (self.args.corpus / name).write_text(json.dumps({"caller": caller, "request": request}, default=plain))
        with self.lock:
            self.corpus.append((caller, request))

    def emptied(self, text):
        for name, value in {**self.stage.known, **self.stage.platform_known}.items():
            text = text.replace(value, f"<<{name}>>")
        return text

    def filled(self, request):
        known = {**self.stage.known, **self.stage.platform_known}
        fill = lambda text: re.sub(r"<<([\w.]+)>>", lambda found: known.get(found[1], "x"), text)  # noqa: E731
        return dataclasses.replace(request, target=fill(request.target), body=request.body and fill(request.body))


def caller_of(operation):
    return {"tenant": "acme", "platform": "platform", "public": "nobody"}[operation.audience]


def plain(value):
    return dataclasses.asdict(value)


def sanitizers_words(log):
    """The first line in which a sanitizer speaks."""
    with open(log, errors="replace") as lines:
        for line in lines:
            if re.search(r"ERROR: \w+Sanitizer|: runtime error: |Assertion `.*failed", line):
                return line.strip()
    return ""


def again(args, stage, document):
    """What is in a finding's file once more: the requests before it, then its own."""
    told = json.loads(args.again.read_text())
    now = {**stage.known, **stage.platform_known}
    text = json.dumps([*told.get("before", []), [told["caller"], told["request"]]])
    for name, value in told["known"].items():
        text = text.replace(value, now.get(name, value))
    player, wire = Campaign(args, stage, document), Wire(stage.daemon.port)
    for caller, request in json.loads(text):
        request = Request(**request)
        wrong = player.play(wire, caller, request, [])
        print(f"{caller} {request.method} {request.target}: {wrong or 'as it should be'}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description="Requests that are nearly right against the daemon.")
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--findings", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=pathlib.Path, help="a finding's file")
    args = parser.parse_args()
    args.findings = args.findings or args.work / "findings"
    for folder in filter(None, (args.findings, args.corpus)):
        folder.mkdir(parents=True, exist_ok=True)
    return args


def main(args):
    document = Document((ROOT / "control" / "openapi.yaml").read_text(encoding="utf-8"))
    with Stage(args) as stage:
        if args.again:
            again(args, stage, document)
            return 0
        player = Campaign(args, stage, document)
        player.run(args.seconds)
        return 1 if player.findings else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(arguments()))
