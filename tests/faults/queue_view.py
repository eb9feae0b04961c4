"""What scenarios look at in Redis: hands, live messages, heartbeats. Read only, but for what a plain producer may do.

    errors  OSError and RedisSaid, as the client (resp.py)
"""
import base64
import contextlib
import json
import time
import uuid

from daemon import POOL
from people import recipient
from resp import RedisSaid
from settle import ID

POOL_KEY = "pm:{%s}:" % POOL


def hand(redis, node):
    """Ids of the messages that a node holds."""
    found = (ID.search(value) for value in redis("HVALS", f"{POOL_KEY}hand:{node.name}"))
    return {match.group(1).decode() for match in found if match}


def live(redis):
    """Messages that are queued, in a hand, or not in the ledger yet."""
    return sum(redis("BITCOUNT", key) for key in redis.scan(f"{POOL_KEY}live:*"))


def heartbeat(redis, node):
    """Unix seconds of a node's last heartbeat; 0 when it has none."""
    value = redis("HGET", f"{POOL_KEY}nodes", node.name)
    return int(value.split()[0]) / 1000 if value else 0.0


def patiently(ground, question, default=None):
    """`question` put to Redis through a fresh connection; the default when Redis does not answer."""
    with contextlib.suppress(OSError, RedisSaid), ground.redis.open(5) as redis:
        return question(redis)
    return default


def push_plain(ground, load, in_seconds=0.0):
    """One entry as a producer in another language would queue it; it is in book 1 too."""
    first, _, number = load.take(1)
    tenant = ground.tenants[number % len(ground.tenants)]
    batch = str(uuid.UUID(int=load.chance.getrandbits(128) & ~(0xf << 76) | 0x7 << 76))
    entry = {"v": 1, "id": f"{batch}.0", "tenant": tenant.id, "to": recipient(first),
             "raw": base64.b64encode(f"From: sales@{tenant.domain}\r\nSubject: plain {first}\r\n\r\nHello.\r\n".encode()).decode()}
    if in_seconds:
        entry["not_before"] = int((time.time() + in_seconds) * 1000)
    load.note({"key": "", "tenant": tenant.id, "batch": batch, "first": first, "count": 1, "refused": []})
    with ground.redis.open() as redis:
        redis("RPUSH", f"{POOL_KEY}ready:{tenant.id}:1", json.dumps(entry))
        redis("ZADD", f"{POOL_KEY}active:1", "NX", 0, tenant.id)


def push_garbage(ground):
    tenant = ground.tenants[0]
    with ground.redis.open() as redis:
        redis("RPUSH", f"{POOL_KEY}ready:{tenant.id}:1", '{"v":1,"garbage":true}')
        redis("ZADD", f"{POOL_KEY}active:1", "NX", 0, tenant.id)
