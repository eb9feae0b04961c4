"""A Redis client of a screen: what the campaign needs to look into a Redis and to do things to it.

    in      one command a call, words as str, bytes or int
    out     str for simple strings, int, bytes or None for bulk strings, lists of these
    errors  RedisSaid for an error reply; OSError for a lost connection or after TIMEOUT seconds
"""
import socket

TIMEOUT = 30


class RedisSaid(Exception):
    """An error reply."""


class Resp:
    def __init__(self, address, port, timeout=TIMEOUT):
        self._socket = socket.create_connection((address, port), timeout=timeout)
        self._in = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._in.close()
        self._socket.close()

    def __call__(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self._reply()

    def _reply(self):
        line = self._in.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisSaid(rest.decode())
        if kind == b":":
            return int(rest)
        if rest == b"-1":
            return None
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        data = self._in.read(int(rest) + 2)
        if len(data) != int(rest) + 2:
            raise OSError("Redis closed the connection")
        return data[:-2]

    def scan(self, pattern):
        cursor = b"0"
        while True:
            cursor, keys = self("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            yield from (key.decode() for key in keys)
            if cursor == b"0":
                return


def info(redis, section):
    lines = redis("INFO", section).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
