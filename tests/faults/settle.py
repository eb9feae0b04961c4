"""After the last fault: waits until nothing moves any more, then reads the four books.

    in      a healed Ground, the load's book
    out     settled(): seconds it took, whether everything had its end; gather(): a Verdict, what was left in Redis
    limits  SETTLE_MAX seconds in all, STALLED_AFTER seconds without any progress
"""
import dataclasses
import json
import re
import time

from books import EXAMPLES, Books
from explained import Copy, explain
from node import sources_of
from processes import WorldError
from reconcile import message_of
from resp import RedisSaid

STALLED_AFTER = 150     # seconds: the reconciler has two minutes for what Redis lost
SETTLE_MAX = 1800
ID = re.compile(rb'"id":\s*"([0-9a-f-]{36}\.\d+)"')
ENDS = "select coalesce(sum(total), 0) from queue.batches; " \
       "select coalesce(sum(delivered + bounced + expired + suppressed + cancelled), 0) from analytics.batch_counts;"

# Keys that may stay when all is sent: counters, names, positions, caches that end by themselves.
MAY_STAY = re.compile(r"^(vt:|weights$|nodes$|told$|done:|dones$|epoch|ledger|tokens$|turn$|janitor$|warmup:|active:|lease$|reconcil|lost|paused$)")


def progress(ground):
    """(messages in PostgreSQL, those that have their end)."""
    total, ended = ground.postgres.psql(ENDS).split()
    return int(total), int(ended)


def settled(ground, say, patience=STALLED_AFTER, limit=SETTLE_MAX):
    began = moved = time.monotonic()
    last = None
    while True:
        try:
            now = progress(ground)
        except WorldError as error:
            now = last
            say(f"settling: {error}")
        if now and now[0] == now[1]:
            return time.monotonic() - began, True
        if now != last:
            last, moved = now, time.monotonic()
        if time.monotonic() - moved > patience or time.monotonic() - began > limit:
            say(f"settling: nothing moved for {patience} s at {last[1] if last else '?'} of {last[0] if last else '?'} messages")
            return time.monotonic() - began, False
        time.sleep(1)


def read_clients(books, path):
    """Book 1. Gives {idempotency key: first serial} of submissions that never had an answer."""
    unanswered = {}
    with open(path) as book:
        for text in book:
            line = json.loads(text)
            if "batch" in line:
                books.accepted(line["batch"], line["first"], line["count"], line["refused"], line.get("cancelled", False))
            else:
                unanswered[line["key"]] = line["first"]
    return unanswered


def read_postgres(books, postgres, unanswered):
    """Book 2. Gives {message: [source]} of events that say: may be a duplicate; and the messages with such an event or a late one."""
    doubtful, marked = {}, set()
    for batch, total, enqueued, state, key in postgres.rows("select id, total, enqueued, state, idempotency_key from queue.batches"):
        books.batch(batch, int(total), int(enqueued), state, unanswered.get(key))
    query = "select batch_id, idx, kind, late, may_be_duplicate, source from analytics.events"
    for batch, index, kind, late, doubt, source in postgres.rows(query):
        books.event(batch, int(index), kind, late == "t")
        if doubt == "t" or late == "t":
            marked.add(f"{batch}.{index}")
        if doubt == "t":
            doubtful.setdefault(f"{batch}.{index}", []).append(source)
    return doubtful, marked


def read_sinks(books, receivers):
    """Book 3."""
    for receiver in receivers:
        for line in receiver.lines():
            books.arrival(message_of(line.mail_from), line.recipient)


def repeated(books, receivers, nodes):
    """{message: [Copy in order]} of what came more than once."""
    wanted = books.doubles()
    source = {helo: (node.name, address) for node in nodes for address, helo in sources_of(node.number)}
    found, before = {message: [] for message in wanted}, {}
    for receiver in receivers if wanted else ():
        for line in receiver.lines():     # of one connection in their order
            if line.connection in before:
                copies, place = before.pop(line.connection)
                copies[place] = dataclasses.replace(copies[place], next_at=line.at)
            message = message_of(line.mail_from)
            if message in wanted:
                before[line.connection] = (found[message], len(found[message]))
                found[message].append(Copy(line.at, *source.get(line.helo, ("?", "?"))))
    return {message: sorted(copies, key=lambda copy: copy.at) for message, copies in found.items()}


def read_redis(books, store):
    """Book 4. Gives {what: how much} of what should not be there any more."""
    left = {}
    with store.open() as redis:
        for key in redis.scan("pm:*"):
            name = key.partition("}:")[2]
            try:
                _read_key(books, redis, key, name, left)
            except RedisSaid as error:
                left[f"key {key}: {error}"] = 1
    return left


def _read_key(books, redis, key, name, left):
    kind = redis("TYPE", key)
    if name.startswith("content:"):
        if redis("PTTL", key) == -1:
            left["contents without an end"] = left.get("contents without an end", 0) + 1
    elif name in ("events", "dead"):
        _count(left, f"entries in {name}", redis("XLEN", key))
    elif name.startswith("live:"):
        _count(left, "bits in live", redis("BITCOUNT", key))
    elif kind == "list":
        _entries(books, left, name.split(":")[0], redis("LRANGE", key, 0, -1))
    elif kind == "hash" and (name == "wait" or name.startswith("hand:")):
        _entries(books, left, "due" if name == "wait" else "hand", redis("HVALS", key))
    elif name != "due" and not name.startswith("parked") and not MAY_STAY.match(name):
        _count(left, f"keys {name.split(':')[0]}", 1)


def _entries(books, left, place, values):
    _count(left, f"entries in {place}", len(values))
    for value in values:
        match = ID.search(value)
        if match:
            books.queued(match.group(1).decode(), place)


def _count(left, what, much):
    if much:
        left[what] = left.get(what, 0) + much


def gather(ground, book):
    """(Verdict, {what: how much} left in Redis). The verdict also counts the repeated messages that an event marks as such, and the others."""
    books = Books()
    unanswered = read_clients(books, book)
    doubtful, marked = read_postgres(books, ground.postgres, unanswered)
    read_sinks(books, ground.receivers.values())
    left = read_redis(books, ground.redis)
    explained, unmarked = {}, []
    for message, copies in repeated(books, ground.receivers.values(), ground.nodes).items():
        known, without = explain(copies, doubtful.get(message, ()), ground.incidents, ground.redis.away)
        unmarked += [message] * (message not in marked)
        why = "; ".join(f"{copy.node} {copy.at:.3f} (then {copy.next_at:.3f})" for copy in copies)
        explained[message] = (known, f"copies: {why}; unexplained: {len(without)}")
    verdict = books.close(explained)
    verdict.counts.update(duplicated_marked=len(explained) - len(unmarked), duplicated_unmarked=len(unmarked))
    if unmarked:
        verdict.examples["unmarked"] = unmarked[:EXAMPLES]
    return verdict, left
