"""A real DNS server (nsd) with zones of ours, and a plain UDP query against it.

    in      zones: {name: [record lines]}; a zone may change while nsd runs (publish)
    limits  TTLs and negative TTLs are short, so that what is published is seen at once
"""
import contextlib
import os
import random
import signal
import socket
import struct
import time

from processes import Child, free_port, wait_until

TTL = 60          # seconds
NEGATIVE_TTL = 1  # seconds; a name that is published later must not stay unknown for long
QUERY_TIMEOUT = 2.0
TXT, SOA = 16, 6


class Nameserver:
    def __init__(self, folder, zones, address="127.0.0.1"):
        self.folder, self.address = str(folder), address
        self.port = free_port((address,))
        self.server = f"{address}:{self.port}"  # what the daemon is told
        self.zones = dict(zones)
        self.serial = int(time.time())
        self.child = Child("nsd", ["/usr/sbin/nsd", "-d", "-c", f"{self.folder}/nsd.conf"], f"{self.folder}/nsd.out")

    def __enter__(self):
        os.makedirs(f"{self.folder}/zones", exist_ok=True)
        for name in self.zones:
            self._write_zone(name)
        with open(f"{self.folder}/nsd.conf", "w") as conf:
            conf.write(self._configuration())
        self.child.start()
        first = next(iter(self.zones))
        self.child.wait_ready(lambda: self.query(first, SOA), 20, "answering")
        return self

    def __exit__(self, *_):
        self.child.stop_quietly()

    def publish(self, zones):
        """Replaces the records of these zones ({name: [record lines]}) and returns when nsd answers with them."""
        self.serial += 1
        for name, records in zones.items():
            self.zones[name] = list(records)
            self._write_zone(name)
        self.child.kill(signal.SIGHUP)
        wait_until(lambda: all(self._serves_new(name) for name in zones), 20, f"nsd serves the new {' '.join(zones)}")

    def txt(self, name):
        """The TXT record at this name as bytes, its strings joined; None when there is none."""
        for kind, data in self.query(name, TXT):
            if kind == TXT:
                return b"".join(_strings(data))
        return None

    def query(self, name, kind):
        """[(type, rdata)] of the answer section; [] when it has none or the server is silent."""
        ident = random.randrange(65536)
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
        question = labels + b"\0" + struct.pack(">HH", kind, 1)
        edns = b"\0" + struct.pack(">HHIH", 41, 4096, 0, 0)
        packet = struct.pack(">HHHHHH", ident, 0, 1, 0, 0, 1) + question + edns
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            udp.settimeout(QUERY_TIMEOUT)
            udp.connect((self.address, self.port))
            udp.send(packet)
            reply = udp.recv(65535)
            if reply[:2] == packet[:2]:
                return _answers(reply)
        return []

    def _serves_new(self, name):
        # While nsd reloads, its old and its new process answer at the same socket: one new answer proves nothing.
        for _ in range(10):
            serials = [struct.unpack(">I", data[-20:-16])[0] for kind, data in self.query(name, SOA) if kind == SOA]
            if serials != [self.serial]:
                return False
            time.sleep(0.01)
        return True

    def _write_zone(self, name):
        path = f"{self.folder}/zones/{name}"
        with open(path + ".new", "w") as zone:
            zone.write(f"$ORIGIN {name}.\n$TTL {TTL}\n"
                       f"@ SOA ns.{name}. admin.{name}. {self.serial} 3600 600 86400 {NEGATIVE_TTL}\n"
                       f"@ NS ns\nns A {self.address}\n")
            zone.write("".join(line + "\n" for line in self.zones[name]))
        os.replace(path + ".new", path)

    def _configuration(self):
        zones = "".join(f'zone:\n  name: "{name}"\n  zonefile: "{name}"\n' for name in self.zones)
        return (f'server:\n  ip-address: {self.address}@{self.port}\n  zonesdir: "{self.folder}/zones"\n'
                f'  database: ""\n  username: ""\n  pidfile: ""\n  zonelistfile: "{self.folder}/zone.list"\n'
                f'  xfrdfile: "{self.folder}/xfrd.state"\n  xfrdir: "{self.folder}"\n  server-count: 1\n  rrl-ratelimit: 0\n'
                f'  logfile: "{self.folder}/nsd.log"\n'
                f'remote-control:\n  control-enable: no\n{zones}')


def txt_record(name, value):
    """A zone-file line. A TXT string has at most 255 octets, so a long value becomes several."""
    parts = [value[at:at + 250] for at in range(0, len(value), 250)]
    quoted = " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)
    return f"{name.rstrip('.')}. TXT {quoted}"


def _skip_name(packet, at):
    while packet[at]:
        if packet[at] >= 0xC0:
            return at + 2
        at += 1 + packet[at]
    return at + 1


def _answers(packet):
    questions, answers = struct.unpack(">HH", packet[4:8])
    at = 12
    for _ in range(questions):
        at = _skip_name(packet, at) + 4
    found = []
    for _ in range(answers):
        at = _skip_name(packet, at)
        kind, _, _, length = struct.unpack(">HHIH", packet[at:at + 10])
        found.append((kind, packet[at + 10:at + 10 + length]))
        at += 10 + length
    return found


def _strings(data):
    at = 0
    while at < len(data):
        yield data[at + 1:at + 1 + data[at]]
        at += 1 + data[at]
