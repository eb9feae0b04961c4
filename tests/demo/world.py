"""A small internet on 127.0.0.0/8: a name server, five MX sites for 50 recipient domains, two senders' domains.

    sites    plain    a sink without TLS
             busy     a sink that answers 451 to the first attempt of a tenth of the recipients
             strict   a sink that refuses the two UNKNOWN recipients with 550
             postfix  a real Postfix, as strict as it can be
             spare    nobody listens at its first MX; its second is a sink
    addresses  each MX host has its own, all at one port, which the daemon is told
    errors   WorldError
"""
import contextlib
import dataclasses
import pathlib

from nameserver import Nameserver
from postfix import Postfix
from processes import free_port
from sink import Sink

HOSTS_ZONE = "mx.test"
DOMAINS_A_SITE = 10
UNKNOWN = ("nobody@strict-01.test", "gone@strict-02.test")
SENDERS = {"acme": "acme.test", "globex": "globex.test"}
SOURCES = [(f"127.0.20.{n}", f"mta{n}.{HOSTS_ZONE}") for n in (1, 2, 3, 4)]


@dataclasses.dataclass(frozen=True)
class Site:
    name: str
    hosts: tuple      # (preference, host label, address, somebody listens)

    @property
    def domains(self):
        return [f"{self.name}-{number:02}.test" for number in range(1, DOMAINS_A_SITE + 1)]

    @property
    def mx(self):
        return [f"@ MX {preference} {label}.{HOSTS_ZONE}." for preference, label, _, _ in self.hosts]


SITES = {site.name: site for site in (
    Site("plain", ((10, "plain", "127.0.10.1", True),)),
    Site("busy", ((10, "busy", "127.0.10.2", True),)),
    Site("strict", ((10, "strict", "127.0.10.3", True),)),
    Site("postfix", ((10, "postfix", "127.0.10.4", True),)),
    Site("spare", ((10, "spare1", "127.0.10.5", False), (20, "spare2", "127.0.10.6", True))),
)}


def site_of(address):
    return address.rpartition("@")[2].rpartition("-")[0]


def addresses(prefix, count, sites=tuple(SITES)):
    """`count` recipients, spread evenly over the domains of the sites."""
    domains = [SITES[name].domains[place] for place in range(DOMAINS_A_SITE) for name in sites]
    return [f"{prefix}{number}@{domains[number % len(domains)]}" for number in range(count)]


class World:
    """`sites`: which receivers run; `sink_options`: {site: what the sink is told} instead of the usual."""

    def __init__(self, sink_program, folder, sites=tuple(SITES), sink_options=None, keep_messages=True):
        self.program, self.folder = pathlib.Path(sink_program), pathlib.Path(folder)
        self.names, self.sink_options, self.keep_messages = tuple(sites), sink_options or {}, keep_messages
        listeners = [address for name in self.names for _, _, address, _ in SITES[name].hosts]
        self.port = free_port(listeners)
        self.nameserver = Nameserver(self.folder / "dns", self._zones())
        self.sinks, self.postfix = {}, None
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.nameserver)
            for name in self.names:
                if name != "postfix":
                    self.sinks[name] = stack.enter_context(self._sink(name))
            if "postfix" in self.names:
                self.postfix = stack.enter_context(Postfix(self.folder / "postfix", SITES["postfix"].hosts[0][2], self.port,
                                                           f"postfix.{HOSTS_ZONE}", SITES["postfix"].domains))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def leave_running(self):
        """What was started goes on without us. Gives the pids of those that have no stop command of their own."""
        self._stack.pop_all()
        return [self.nameserver.child.pid, *(sink.child.pid for sink in self.sinks.values())]

    def arrivals(self):
        """Every body that a receiver answered with 250."""
        found = [arrival for sink in self.sinks.values() for arrival in sink.arrivals()]
        return found + (self.postfix.arrivals() if self.postfix else [])

    def messages(self):
        """(label, function that reads it) of each message that the receivers kept."""
        for sink in self.sinks.values():
            yield from sink.messages()
        if self.postfix:
            yield from self.postfix.messages()

    def _sink(self, name):
        options = self.sink_options.get(name)
        if options is None:
            options = {"plain": {"tls": False}, "busy": {"defer_first": 0.1}, "strict": {"refuse": UNKNOWN}}.get(name, {})
        listen = [address for _, _, address, there in SITES[name].hosts if there]
        return Sink(self.program, self.folder / "sinks" / name, name, listen, self.port, keep=self.keep_messages, **options)

    def _zones(self):
        hosts = [f"{label} A {address}" for site in SITES.values() for _, label, address, _ in site.hosts]
        hosts += [f"{host.partition('.')[0]} A {address}" for address, host in SOURCES]
        zones = {HOSTS_ZONE: hosts}
        zones.update((domain, site.mx) for site in SITES.values() for domain in site.domains)
        zones.update((domain, []) for domain in SENDERS.values())
        return zones
