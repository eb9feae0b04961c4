"""Steady load: distinct messages of two tenants through the API of every node. What it was told is book 1.

    in      tenants, URLs of the nodes, messages a second, a file for the book
    out     the book: one JSON line a submission that was accepted {key, tenant, batch, first, count, refused, cancelled}, and one
            for each that never had an answer {key, tenant, first, count}; counts of the answers
    rules   a call whose answer was lost is repeated with its Idempotency-Key, at another node, until it has one; 429 and 503 are
            obeyed (Retry-After, at most PATIENCE seconds) and must carry that header; anything else is a problem
    bound   WORKERS calls at a time: with the API away the load stands still and does not catch up
"""
import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter

import campaign
from api import Api
from people import recipient

WORKERS = 4
CALLS_A_SECOND = 8.0
TIMEOUT = 15            # seconds for a call
PATIENCE = 5            # seconds that a Retry-After is obeyed at most
CANCEL_EVERY = 40       # every 40th submission is cancelled at once
CONTENT_EVERY = 5_000   # messages that share one content
CAMPAIGNS = 4           # of a tenant


def campaign_id(tenant, number):
    return str(uuid.uuid5(uuid.UUID(tenant.id), f"campaign {number % CAMPAIGNS}"))


class Load:
    def __init__(self, ground, rate, path, seed=0, batch_max=None):
        self.rate, self.path, self.problem = rate, path, ground.problem
        self.tenants, self.urls = ground.tenants, [node.url for node in ground.nodes]
        self.chance = random.Random(seed)
        self.mean = max(1.0, rate / CALLS_A_SECOND)
        self.batch_max, self.cancel_every = batch_max, CANCEL_EVERY
        self.answers = Counter()
        self.slowest = 0.0
        self.next_serial, self.next_at, self.submissions = 1, time.monotonic(), 0
        self.lock, self.over, self.given_up = threading.Lock(), threading.Event(), threading.Event()
        self.book = open(path, "a", buffering=1)
        self.threads = []

    def start(self):
        self.next_at = time.monotonic()
        self.threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(WORKERS)]
        for thread in self.threads:
            thread.start()
        return self

    def stop(self, patience=120):
        """No new submissions; those under way get their answer, or are given up after `patience` seconds."""
        self.over.set()
        deadline = time.monotonic() + patience
        for thread in self.threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        self.given_up.set()
        for thread in self.threads:
            thread.join(TIMEOUT + PATIENCE + 5)
        self.book.close()

    def submit_now(self, count, size=1000):
        """`count` messages as fast as they are taken, before the steady load."""
        for at in range(0, count, size):
            self._submit(*self.take(min(size, count - at)), 0)

    def accepted(self):
        """Messages that clients were told are accepted."""
        return self.answers["messages"]

    def _work(self, number):
        while not self.over.is_set():
            with self.lock:
                now = time.monotonic()
                count = max(1, round(self.chance.uniform(0.0, 2.0) * self.mean))
                if self.batch_max:
                    count = min(count, self.batch_max)
                self.next_at = max(self.next_at + count / self.rate, now - 1.0)
                due = self.next_at
            if self.over.wait(max(0.0, due - now)):
                return
            self._submit(*self.take(count), number)

    def take(self, count):
        with self.lock:
            first, self.next_serial = self.next_serial, self.next_serial + count
            self.submissions += 1
            return first, count, self.submissions

    def _submit(self, first, count, number, worker):
        tenant = self.tenants[number % len(self.tenants)]
        letter = campaign.template(tenant)
        letter["defaults"]["pitch"] = f"This is the {first // CONTENT_EVERY + 1}. edition."
        recipients = [campaign.recipient(serial, recipient(serial)) for serial in range(first, first + count)]
        body = {"template": letter, "campaign_id": campaign_id(tenant, number // len(self.tenants)), "recipients": recipients}
        line = {"key": str(uuid.UUID(int=self.chance.getrandbits(128))), "tenant": tenant.id, "first": first, "count": count}
        answer = self._until_answered(tenant, "/v1/batches", body, {"Idempotency-Key": line["key"]}, worker)
        if answer:
            line.update(batch=answer["id"], refused=[item["index"] for item in answer["refused_recipients"]])
            if answer["accepted"] != count:
                self.problem(f"batch {answer['id']}: {answer['accepted']} of {count} accepted: {answer['refused_recipients'][:2]}")
            self.answers["messages"] += answer["accepted"]
            if number % self.cancel_every == 0:
                line["cancelled"] = True
                self._until_answered(tenant, f"/v1/batches/{answer['id']}/cancel", {}, {}, worker, fine=(200, 409))
        self.note(line)

    def note(self, line):
        """Into the book."""
        with self.lock:
            self.book.write(json.dumps(line) + "\n")

    def _until_answered(self, tenant, path, body, headers, turn, fine=(200, 201, 202)):
        """The answer; None when the API refused, or the run is over."""
        while not self.given_up.is_set():
            turn += 1
            began = time.monotonic()
            try:
                api = Api(self.urls[turn % len(self.urls)], tenant.key["key"], TIMEOUT)
                status, head, answer = api.exchange("POST", path, body, headers)
            except (OSError, http.client.HTTPException, ValueError):
                self.answers["lost"] += 1
                self.given_up.wait(0.2)
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answers[str(status)] += 1
            if status in fine:
                return answer
            if status not in (429, 503):
                self.problem(f"{path}: unexpected answer {status}: {str(answer)[:200]}")
                return None
            wait = head.get("Retry-After", "")
            if not wait.isdigit():
                self.problem(f"{path}: {status} without Retry-After: {str(answer)[:200]}")
            self.given_up.wait(min(int(wait) if wait.isdigit() else 1, PATIENCE))
        return None
