"""Faults of DNS and of the network to the recipients' servers, by the relay and by the kernel of our own network namespace."""
import pathlib

import machine
from fault import Fault

PORTS = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


class _Relayed(Fault):
    """What the relay of the group does with everything that passes."""
    seconds, mode, every = (5.0, 20.0), "", 0.0

    def begin(self, ground, choice):
        ground.relays.set(self.group, self.mode, self.every)

    def end(self, ground, choice):
        ground.relays.set(self.group, "pass")


class _Dns(_Relayed):
    group = "dns"


class _Smtp(_Relayed):
    group = "smtp"


class DnsSilent(_Dns):
    name, mode = "dns.silent", "silent"


class DnsServfail(_Dns):
    name, mode = "dns.servfail", "servfail"


class DnsSlow(_Dns):
    name, mode, every = "dns.slow", "delay", 0.3


class DnsGarbage(_Dns):
    name, mode = "dns.garbage", "garbage"


class SmtpStall(_Smtp):
    name, mode = "smtp.stall", "stall"


class SmtpMidline(_Smtp):
    """Answers stop in the middle of a line."""
    name, mode = "smtp.midline", "midline"


class SmtpResets(_Smtp):
    name, mode, every = "smtp.resets", "reset", 0.7


class SmtpHalfOpen(_Smtp):
    """Nothing arrives, nothing ends."""
    name, mode = "smtp.half-open", "half-open"


class SmtpRefused(_Smtp):
    name, mode = "smtp.refused", "refuse"


class SmtpSlow(_Smtp):
    name, mode, every = "smtp.slow", "delay", 0.3


class SinkKilled(Fault):
    """A receiving server dies in the middle of everything, and comes back."""
    name, group, seconds = "smtp.sink-killed", "smtp", (1.0, 15.0)

    def begin(self, ground, choice):
        self.receiver = ground.receivers[("plain", "busy", "relayed", "faraway")[choice.number % 4]]
        self.receiver.kill()
        return self.receiver.name

    def end(self, ground, choice):
        self.receiver.start()


class AddressGone(Fault):
    """The address of a receiving server is taken away from under its connections."""
    name, group, seconds, needs = "smtp.address-gone", "smtp", (5.0, 20.0), ("netns",)

    def begin(self, ground, choice):
        machine.run("ip", "address", "del", f"{machine.FARAWAY}/32", "dev", "lo")

    def end(self, ground, choice):
        machine.run("ip", "address", "replace", f"{machine.FARAWAY}/32", "dev", "lo")


class PortsExhausted(Fault):
    """Nearly no local port is left for new connections, of nodes to whomever."""
    name, group, seconds, needs = "network.ports", "network", (5.0, 15.0), ("netns",)
    before = None

    def begin(self, ground, choice):
        self.before = PORTS.read_text()
        PORTS.write_text("61000 61004")

    def end(self, ground, choice):
        if self.before:
            PORTS.write_text(self.before)


FAULTS = (DnsSilent, DnsServfail, DnsSlow, DnsGarbage, SmtpStall, SmtpMidline, SmtpResets, SmtpHalfOpen, SmtpRefused, SmtpSlow,
          SinkKilled, AddressGone, PortsExhausted)
