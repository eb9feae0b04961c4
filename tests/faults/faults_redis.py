"""Faults of Redis: it dies, loses what it had, is full, stands still, loses its connections, or another takes its place."""
import signal
import time

from fault import Fault
from resp import info


class Kill(Fault):
    """kill -9: what the append-only file had is there again."""
    name, group, seconds = "redis.kill", "redis", (0.5, 8.0)

    def begin(self, ground, choice):
        ground.redis.kill()

    def end(self, ground, choice):
        if not ground.redis.child.running():
            ground.redis.start()


class Cut(Kill):
    """kill -9, and the end of the append-only file is lost, as when the machine lost power."""
    name, seconds = "redis.cut", (0.5, 3.0)

    def begin(self, ground, choice):
        ground.redis.kill()
        return f"{ground.redis.cut(1 + choice.number % 200_000)} octets"


class FlushAll(Fault):
    name, group, seconds = "redis.flushall", "redis", (5.0, 20.0)

    def begin(self, ground, choice):
        with ground.redis.open() as redis:
            redis("FLUSHALL")


class Full(Fault):
    """maxmemory is what it uses now."""
    name, group, seconds = "redis.full", "redis", (5.0, 20.0)

    def begin(self, ground, choice):
        with ground.redis.open() as redis:
            self.before = redis("CONFIG", "GET", "maxmemory")[1]
            used = int(info(redis, "memory")["used_memory"])
            redis("CONFIG", "SET", "maxmemory", used)
        return f"at {used >> 20} MiB"

    def end(self, ground, choice):
        with ground.redis.open() as redis:
            redis("CONFIG", "SET", "maxmemory", self.before)


class Stall(Fault):
    """SIGSTOP: it takes connections and says nothing."""
    name, group, seconds = "redis.stall", "redis", (3.0, 20.0)

    def begin(self, ground, choice):
        ground.redis.gone()
        ground.redis.child.kill(signal.SIGSTOP)

    def end(self, ground, choice):
        ground.redis.child.kill(signal.SIGCONT)
        ground.redis.back()


class Resets(Fault):
    """All connections are reset, again and again."""
    name, group, seconds = "redis.resets", "redis", (3.0, 12.0)

    def begin(self, ground, choice):
        every = 0.3 + choice.number % 20 / 10
        ground.relays.set("redis", "reset", every)
        return f"every {every:.1f} s"

    def end(self, ground, choice):
        ground.relays.set("redis", "pass")


class LostReplies(Fault):
    """Commands are carried out, their replies never come, the connection is reset."""
    name, group, seconds = "redis.lost-replies", "redis", (1.0, 6.0)

    def begin(self, ground, choice):
        ground.redis.gone()
        ground.relays.set("redis", "lose-replies")

    def end(self, ground, choice):
        ground.relays.set("redis", "pass")
        ground.redis.back()


class Failover(Fault):
    """A replica that heard nothing of the last second takes the master's place."""
    name, group, seconds = "redis.failover", "redis", (1.0, 1.0)

    def begin(self, ground, choice):
        ground.redis.spare()
        ground.redis.part()
        time.sleep(1.0)
        ground.redis.promote()


FAULTS = (Kill, Cut, FlushAll, Full, Stall, Resets, LostReplies, Failover)
