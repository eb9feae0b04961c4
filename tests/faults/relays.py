"""The relay process (relay.py) and its modes, as the faults use it.

    errors  WorldError
"""
import json
import pathlib
import socket
import sys

from processes import Child, WorldError, tail

ANSWER_WITHIN = 10   # seconds


class Relays:
    def __init__(self, folder, tcp, udp):
        """`tcp`, `udp`: {name: ((address, port) where it listens, (address, port) whither)}."""
        self.folder = pathlib.Path(folder)
        self.control = str(self.folder / "control")
        wanted = {"control": self.control}
        for kind, relays in (("tcp", tcp), ("udp", udp)):
            wanted[kind] = {name: {"listen": list(listen), "to": list(to)} for name, (listen, to) in relays.items()}
        if "smtp" in tcp:
            self.mails = self.folder / "mails"
            wanted["tcp"]["smtp"]["mails"] = str(self.mails)
        program = pathlib.Path(__file__).with_name("relay.py")
        self.child = Child("relay", [sys.executable, program, json.dumps(wanted)], self.folder / "relay.log")

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        pathlib.Path(self.control).unlink(missing_ok=True)
        self.child.start()
        self.child.wait_ready(lambda: "ready\n" in tail(self.child.log, 1000), 20, "ready")
        return self

    def __exit__(self, *_):
        self.child.stop_quietly()

    def transactions(self):
        """(seconds, source address) of each transaction that was begun over the relay "smtp"."""
        for line in self.mails.read_text().splitlines():
            at, _, address = line.partition(" ")
            yield float(at), address

    def set(self, name, mode, seconds=0.0):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(ANSWER_WITHIN)
            try:
                control.connect(self.control)
                control.sendall(json.dumps({"name": name, "mode": mode, "seconds": seconds}).encode() + b"\n")
                if control.recv(8) != b"ok\n":
                    raise WorldError(f"the relay refused {name} {mode}")
            except OSError as error:
                raise WorldError(f"the relay does not answer: {error}") from None
