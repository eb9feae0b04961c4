"""The four books of a run, held against each other message by message. No I/O: whoever reads a book feeds it in here.

    in      accepted (what clients were told), batch and event (PostgreSQL), arrival (the sinks), queued (Redis)
    out     Verdict: counts, and up to EXAMPLES lines for each kind of fault
    size    a few octets a message: two million fit into some tens of megabytes
    time    an arrival that comes after others costs nothing more; only messages that came twice are looked at again (doubles)
"""
import collections
import dataclasses

from people import must_bounce, serial_of

KINDS = ("delivered", "bounced", "expired", "suppressed", "cancelled")
BIT = {kind: 1 << place for place, kind in enumerate(KINDS)}
EXAMPLES = 20
MANY = 255     # counts of one message stop here


class Batch:
    """One submission: what the client knows of it, and what PostgreSQL does."""

    def __init__(self, total):
        self.total = total
        self.first = None            # serial of message 0; None: nobody of ours asked for it
        self.refused = ()            # indices of the request that were not accepted
        self.told = False            # a client was told that it is accepted
        self.cancelled = False       # a client asked for that
        self.kept = None             # state and number of enqueued messages; None: PostgreSQL does not have it
        self.copies, self.finals, self.ends = bytearray(total), bytearray(total), bytearray(total)

    def serial(self, index):
        place = index
        for refused in self.refused:     # ascending
            place += refused <= place
        return None if self.first is None else self.first + place


@dataclasses.dataclass
class Verdict:
    counts: dict                     # accepted, delivered, ...
    examples: dict                   # {fault: [message: why]}


class Books:
    def __init__(self):
        self.batches = {}
        self.strangers = collections.Counter()   # what nobody sent, by book
        self.examples = collections.defaultdict(list)
        self.wrong = collections.Counter()
        self.in_redis = {}                       # message -> place

    # --- book 1: the clients ---
    def accepted(self, batch, first, count, refused=(), cancelled=False):
        entry = self.batches.setdefault(batch, Batch(count - len(refused)))
        entry.first, entry.refused, entry.told = first, tuple(sorted(refused)), True
        entry.cancelled = entry.cancelled or cancelled

    # --- book 2: PostgreSQL ---
    def batch(self, batch, total, enqueued, state, first=None):
        """`first`: of a submission whose client never heard an answer (known by its idempotency key)."""
        entry = self.batches.setdefault(batch, Batch(total))
        entry.kept = (state, enqueued)
        if entry.first is None:
            entry.first = first
        if entry.total != total:
            self._note("miscounted", batch, f"accepted {entry.total}, PostgreSQL has {total}")

    def event(self, batch, index, kind, late):
        entry = self.batches.get(batch)
        if entry is None or index >= entry.total:
            self.strangers["events"] += 1
            return self._note("stranger", f"{batch}.{index}", f"event {kind} of a message that nobody sent")
        if kind in BIT:
            entry.finals[index] |= BIT[kind]
            if not late:
                entry.ends[index] = min(MANY, entry.ends[index] + 1)
        return None

    # --- book 3: the sinks ---
    def arrival(self, message, recipient):
        batch, _, index = (message or "").partition(".")
        entry = self.batches.get(batch)
        if entry is None or int(index) >= entry.total:
            self.strangers["arrivals"] += 1
            return self._note("stranger", message, f"arrived for {recipient}, nobody sent it")
        index = int(index)
        entry.copies[index] = min(MANY, entry.copies[index] + 1)
        if entry.first is not None and serial_of(recipient) != entry.serial(index):
            self._note("misdelivered", message, f"arrived for {recipient}")
        return None

    # --- book 4: Redis ---
    def queued(self, message, place):
        self.in_redis[message] = place

    def doubles(self):
        """Messages that sinks took more than once."""
        return {f"{name}.{index}" for name, batch in self.batches.items() for index, copies in enumerate(batch.copies) if copies > 1}

    def close(self, explained=None):
        """The verdict. `explained`: {message: (how many repetitions are explained, why the others are not)}."""
        explained = explained or {}
        counts = collections.Counter(dict.fromkeys(
            ("accepted", *KINDS, "queued", "lost", "duplicated", "duplicated_explained", "wrongly_bounced", "stuck", "untold"), 0))
        for name, batch in self.batches.items():
            counts["accepted" if batch.told else "untold"] += batch.total
            for index in range(batch.total):
                self._judge(counts, name, batch, index)
                if batch.copies[index] > 1:
                    message = f"{name}.{index}"
                    known, why = explained.get(message, (0, "nothing was looked up"))
                    counts["duplicated"] += batch.copies[index] - 1
                    counts["duplicated_explained"] += known
                    if known < batch.copies[index] - 1:
                        self._note("repeated", message, why)
        for kind in ("miscounted", "stranger", "misdelivered", "ended_twice"):
            counts[kind] = self.wrong[kind]
        return Verdict(dict(counts), dict(self.examples))

    def _judge(self, counts, name, batch, index):
        message, serial = f"{name}.{index}", batch.serial(index)
        finals, copies = batch.finals[index], batch.copies[index]
        for kind, bit in BIT.items():
            counts[kind] += bool(finals & bit)
        if finals & BIT["delivered"] and not copies:
            counts["lost"] += 1
            self._note("lost", message, "told as delivered, never arrived")
        if batch.ends[index] > 1:
            self._note("ended_twice", message, f"{batch.ends[index]} final events that were not late")
        if not finals:
            self._judge_unfinished(counts, message, batch, copies)
            return
        good = serial is None or not must_bounce(serial)
        if good and finals & (BIT["bounced"] | BIT["expired"] | BIT["suppressed"]):
            counts["wrongly_bounced"] += 1
            self._note("wrongly_bounced", message, f"ended as {self._names(finals)}, its sink would have taken it ({copies} arrived)")
        elif finals & BIT["cancelled"] and not batch.cancelled and batch.kept and batch.kept[0] not in ("cancelling", "cancelled"):
            counts["wrongly_bounced"] += 1
            self._note("wrongly_bounced", message, "cancelled by nobody")
        elif copies and not finals & BIT["delivered"]:
            counts["wrongly_bounced"] += 1
            self._note("wrongly_bounced", message, f"told as {self._names(finals)}, but it arrived")

    def _judge_unfinished(self, counts, message, batch, copies):
        place = self.in_redis.get(message)
        if copies:
            counts["stuck"] += 1
            self._note("stuck", message, f"arrived, but has no final event; in Redis: {place}")
        elif place == "due":
            counts["queued"] += 1        # it has a time at which it goes
        elif place or (batch.kept and batch.kept[0] in ("accepted", "cancelling")):
            counts["stuck"] += 1
            self._note("stuck", message, f"in {place or 'the outbox'}, and nothing moved any more")
        else:
            counts["lost"] += 1
            self._note("lost", message, "no final event, no arrival, not in Redis" if batch.kept else "PostgreSQL does not know its batch")

    @staticmethod
    def _names(finals):
        return "+".join(kind for kind, bit in BIT.items() if finals & bit)

    def _note(self, kind, what, why):
        self.wrong[kind] += 1
        if len(self.examples[kind]) < EXAMPLES:
            self.examples[kind].append(f"{what}: {why}")
