"""SMTP servers that drop, stall, babble or lie at a phase, for their first connections; after that they are good.

    in      {case name: Fault}; each case has a domain of its own, an MX host and an address of its own
    out     a World like tests/demo/world.py: name server, port, arrivals (bodies that were answered with 250), faults (what a
            client must never do: a body after no 354, a body after no accepted recipient)
"""
import contextlib
import dataclasses
import pathlib
import socket
import threading

import scene  # noqa: F401: knows where the demo's helpers are
from nameserver import Nameserver
from processes import free_port
from reconcile import Arrival, message_of
from world import HOSTS_ZONE, SENDERS, SOURCES

PATIENCE = 60          # seconds that a connection of ours may live
GARBAGE = b"\x00\xff\xfe what is this\r\n"
ENDLESS = 300_000      # octets of a line, and lines of a reply, that never end


@dataclasses.dataclass(frozen=True)
class Fault:
    phase: str              # greeting, ehlo, starttls, mail, rcpt, data, body
    action: object          # drop, stall, babble, endless, flood, or bytes to answer instead
    times: int = 1          # connections (phases before mail) or transactions that it spoils; then the server is good


class Gone(Exception):
    """The connection is over."""


class Server:
    """One MX host with one fault."""

    def __init__(self, name, fault, address, port):
        self.name, self.fault, self.left = name, fault, fault.times
        self.arrivals, self.sins, self.lock = [], [], threading.Lock()
        self.listener = socket.create_server((address, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(PATIENCE)
        with connection, contextlib.suppress(OSError, Gone), connection.makefile("rb") as lines:
            self._answer(connection, "greeting", b"220 ready\r\n")
            sender = recipient = None
            for line in lines:
                verb = line[:4].upper()
                if verb in (b"EHLO", b"HELO"):
                    offer = b"250-STARTTLS\r\n" if self.fault.phase == "starttls" and self.left else b""
                    self._answer(connection, "ehlo", b"250-" + self.name.encode() + b"\r\n" + offer + b"250-PIPELINING\r\n250 8BITMIME\r\n")
                elif verb == b"STAR":
                    self._answer(connection, "starttls", b"454 no TLS today\r\n")
                elif verb == b"MAIL":
                    sender, recipient = line[line.find(b"<") + 1:line.find(b">")].decode(), None
                    if not self._answer(connection, "mail", b"250 ok\r\n").startswith(b"2"):
                        sender = None
                elif verb == b"RCPT":
                    address = line[line.find(b"<") + 1:line.find(b">")].decode()
                    usual = b"503 no sender\r\n" if sender is None else b"250 ok\r\n"  # RFC 5321 4.1.4
                    if self._answer(connection, "rcpt", usual).startswith(b"2"):
                        recipient = address
                elif verb == b"DATA":
                    usual = b"354 go on\r\n" if recipient else b"503 no recipient\r\n"
                    if self._answer(connection, "data", usual).startswith(b"354"):
                        self._body(connection, lines, sender, recipient)
                    sender = recipient = None
                elif verb == b"QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                elif verb in (b"RSET", b"NOOP"):
                    sender = recipient = None
                    connection.sendall(b"250 ok\r\n")
                else:
                    self.sins.append(f"{self.name}: no command: {line[:60]!r}")
                    connection.sendall(b"500 what?\r\n")

    def _body(self, connection, lines, sender, recipient):
        size = 0
        for line in lines:
            if line == b".\r\n":
                break
            size += len(line)
        else:
            raise Gone
        if recipient is None and size:
            self.sins.append(f"{self.name}: a body of {size} octets although no recipient was accepted")
        if self._answer(connection, "body", b"250 taken\r\n" if recipient else b"554 no valid recipients\r\n").startswith(b"2") and recipient:
            self.arrivals.append(Arrival(message_of(sender), recipient, self.name))

    def _answer(self, connection, phase, usual):
        """Says `usual`, or does what the fault says. Gives what was said."""
        with self.lock:
            spoil = self.fault.phase == phase and self.left > 0
            self.left -= spoil
        action = self.fault.action if spoil else usual
        if action == "drop":
            raise Gone
        if action == "stall":
            while connection.recv(65536):
                pass
            raise Gone
        if action == "endless":
            connection.sendall(b"2" * ENDLESS)
            raise Gone
        if action == "flood":
            connection.sendall(b"250-more\r\n" * ENDLESS)
            raise Gone
        said = GARBAGE if action == "babble" else action
        connection.sendall(said)
        return said


class HostileWorld:
    def __init__(self, folder, faults, extra_zones=None):
        self.faults = faults
        self.addresses = {name: f"127.0.{30 + place // 250}.{1 + place % 250}" for place, name in enumerate(faults)}
        self.port = free_port(self.addresses.values())
        hosts = [f"{name} A {address}" for name, address in self.addresses.items()]
        hosts += [f"{host.partition('.')[0]} A {address}" for address, host in SOURCES]
        zones = {HOSTS_ZONE: hosts, **{f"{name}-01.test": [f"@ MX 10 {name}.{HOSTS_ZONE}."] for name in faults},
                 **{domain: [] for domain in SENDERS.values()}, **(extra_zones or {})}
        self.nameserver = Nameserver(pathlib.Path(folder) / "dns", zones)
        self.servers = []

    def __enter__(self):
        self.nameserver.__enter__()
        try:
            for name, fault in self.faults.items():
                self.servers.append(Server(name, fault, self.addresses[name], self.port))
        except OSError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.close()
        self.nameserver.__exit__()

    def arrivals(self):
        return [arrival for server in self.servers for arrival in server.arrivals]

    def sins(self):
        return [sin for server in self.servers for sin in server.sins]
