"""The fleet's Redis as an operator would run it (AOF each second, noeviction, maxmemory), which the campaign kills and cuts.

    out     a server at address:port; `spare` and `promote` for a failover; spans when it was away (clients saw nothing of it)
    errors  WorldError
"""
import contextlib
import pathlib
import time

from processes import Child, wait_until
from resp import RedisSaid, Resp, info

MAXMEMORY = 1 << 30
READY_WITHIN = 120   # seconds: it may load a long AOF
ADDRESS = "127.0.0.1"


class RedisStore:
    def __init__(self, folder, port, spare_port):
        self.folder, self.port, self.spare_port = pathlib.Path(folder), port, spare_port
        self.away = []            # [from, to] in Unix seconds, in their order
        self.generation = 0       # a promoted replica has another folder
        self.child, self.replica = None, None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        for child in (self.child, self.replica):
            if child:
                child.stop_quietly()

    def data(self, generation=None):
        return self.folder / f"data-{self.generation if generation is None else generation}"

    def start(self):
        self.child = self._server(self.port, self.data())
        self.child.wait_ready(lambda: self._answers(self.port), READY_WITHIN, "answering")
        self.back()

    def open(self, timeout=30):
        return Resp(ADDRESS, self.port, timeout)

    def gone(self):
        """From now on nobody gets an answer."""
        self.away.append([time.time(), float("inf")])

    def back(self):
        if self.away and self.away[-1][1] == float("inf"):
            self.away[-1][1] = time.time()

    def kill(self):
        self.gone()
        self.child.kill()
        self.child.wait(10)

    def cut(self, octets):
        """Takes the end off the append-only file of a killed server: what the disk had not got yet. Gives how much."""
        increments = sorted((self.data() / "appendonlydir").glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[-3]))
        size = increments[-1].stat().st_size
        with open(increments[-1], "r+b") as file:
            file.truncate(max(0, size - octets))
        return min(size, octets)

    def spare(self):
        """Starts a replica and waits until it has everything."""
        self.replica = self._server(self.spare_port, self.data(self.generation + 1), "--replicaof", ADDRESS, str(self.port))
        self.replica.wait_ready(lambda: self._answers(self.spare_port), READY_WITHIN, "answering as a replica")
        with Resp(ADDRESS, self.spare_port) as replica:
            wait_until(lambda: info(replica, "replication").get("master_link_status") == "up", READY_WITHIN, "the replica has synchronised")
            wait_until(lambda: _written(info(replica, "persistence")), READY_WITHIN, "the replica has its append-only file")

    def part(self):
        """The replica hears nothing from now on."""
        with Resp(ADDRESS, self.spare_port) as replica:
            replica("REPLICAOF", ADDRESS, 1)

    def promote(self):
        """The master is dead; the replica takes its place and its port."""
        self.kill()
        with Resp(ADDRESS, self.spare_port) as replica:
            replica("REPLICAOF", "NO", "ONE")
            wait_until(lambda: self._takes_port(replica), 20, "the replica has the port of the dead master")
        self.child, self.replica, self.generation = self.replica, None, self.generation + 1
        self.back()

    def _takes_port(self, replica):
        with contextlib.suppress(RedisSaid):
            return replica("CONFIG", "SET", "port", self.port) == "OK"
        return False

    def _server(self, port, data, *more):
        data.mkdir(parents=True, exist_ok=True)
        command = ["/usr/bin/redis-server", "--port", port, "--bind", ADDRESS, "--dir", data, "--appendonly", "yes", "--appendfsync",
                   "everysec", "--save", "", "--maxmemory", MAXMEMORY, "--maxmemory-policy", "noeviction", "--loglevel", "notice", *more]
        return Child("redis", command, self.folder / "redis.log").start()

    def _answers(self, port):
        with contextlib.suppress(OSError, RedisSaid), Resp(ADDRESS, port, 2) as redis:
            return redis("PING") == "PONG"
        return False


def _written(persistence):
    return persistence["aof_rewrite_in_progress"] == "0" and persistence["aof_rewrite_scheduled"] == "0"
