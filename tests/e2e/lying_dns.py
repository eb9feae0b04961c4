"""A UDP name server in front of a good one: silent, wrong or garbled for names of our choice, the truth for all others.

    in      {domain (and all names below it): "silent" | "garbage" | "servfail"}, the good server's port
"""
import contextlib
import socket
import threading

UPSTREAM_TIMEOUT = 2.0


class LyingDns:
    def __init__(self, lies, upstream_port):
        self.lies, self.upstream = lies, ("127.0.0.1", upstream_port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.server = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.socket.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                query, client = self.socket.recvfrom(4096)
                threading.Thread(target=self._answer, args=(query, client), daemon=True).start()

    def _answer(self, query, client):
        name = _name(query)
        lie = next((lie for domain, lie in self.lies.items() if name == domain or name.endswith("." + domain)), None)
        if lie == "silent":
            return
        reply = lie_to(query, lie)
        if reply is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
                asked.settimeout(UPSTREAM_TIMEOUT)
                asked.connect(self.upstream)
                try:
                    asked.send(query)
                    reply = asked.recv(65535)
                except OSError:
                    return
        with contextlib.suppress(OSError):
            self.socket.sendto(reply, client)


def lie_to(query, lie):
    """The answer of a name server that lies so; None: the truth."""
    if lie == "garbage":
        return query[:2] + b"\x84\x00\xff\xff\xff\xff" + b"\xc0" * 60
    if lie == "servfail":
        return query[:2] + b"\x81\x82" + query[4:6] + b"\0" * 6 + query[12:]
    return None


def _name(query):
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    return ".".join(labels)
