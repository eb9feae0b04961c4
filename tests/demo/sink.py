"""A `penguin-bench sink` process: an SMTP server that takes everything, but for what its rules say (bench/README.md).

    in      folder, name of the site, addresses and port to listen at
    out     arrivals: every message that it took, from its log, which is written before the 250; the messages themselves
    errors  WorldError
"""
import json
import pathlib

from processes import Child, tail, wait_until
from reconcile import Arrival, message_of


class Sink:
    """tls: offered by STARTTLS. defer_first: share of the messages whose first attempt gets a 451. refuse: recipients that
    get a 550. rules: more, in the sink's own words."""

    def __init__(self, program, folder, name, addresses, port, tls=True, keep=True, defer_first=0.0, refuse=(), rules=()):
        self.folder, self.name = pathlib.Path(folder), name
        self.kept, self.log = self.folder / "messages", self.folder / "accepted.jsonl"
        rules = list(rules)
        if defer_first:
            rules.append(f'phase=rcpt code=451 text="4.2.1 come again" share={defer_first} first-attempts-only')
        if refuse:
            rules.append('phase=rcpt code=550 text="5.1.1 no such user" ' + " ".join(f"match={address}" for address in refuse))
        command = [program, "sink", "--name", f"{name}.mx.test", "--log", self.log, *(["--keep", self.kept] if keep else []),
                   *([] if tls else ["--no-tls"])]
        for address in addresses:
            command += ["--listen", f"{address}:{port}"]
        for rule in rules:
            command += ["--rule", rule]
        self.child = Child(f"sink {name}", command, self.folder / "sink.out")

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.child.start()
        self.child.wait_ready(lambda: "ready\n" in tail(self.child.log, 100), 20, "listening")
        return self

    def __exit__(self, *_):
        self.child.stop_quietly()

    def lines(self):
        if self.log.exists():
            with self.log.open() as log:
                for line in log:
                    if line.endswith("\n"):  # the last one may be half written
                        yield json.loads(line)

    def arrivals(self):
        return [Arrival(message_of(line["mail_from"]), line["rcpt"], self.name) for line in self.lines()]

    def messages(self):
        """(label, function that reads it) of each message that was kept."""
        for line in self.lines():
            yield f"{self.name}/{line['file']}", (self.kept / line["file"]).read_bytes

    def messages_to(self, recipient):
        return [(self.kept / line["file"]).read_bytes() for line in self.lines() if line["rcpt"] == recipient]

    def wait_for(self, recipient, seconds=30):
        wait_until(lambda: any(line["rcpt"] == recipient for line in self.lines()), seconds, f"mail to {recipient} arrives at {self.name}")
