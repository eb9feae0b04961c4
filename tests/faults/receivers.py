"""The sinks of the campaign: each may be killed and come back, with a log of its own for each life.

    out     Line for every recipient of every message that was answered with 250 (the log is written before that)
    errors  WorldError
"""
import json
import pathlib
import typing

from sink import Sink


class Line(typing.NamedTuple):   # of which a run has a million
    at: float            # seconds
    mail_from: str
    recipient: str
    helo: str            # tells the source, and so the node
    connection: tuple    # names one SMTP connection of the whole run


class Receiver:
    """A site's sink over its lives. `options`: as Sink takes them."""

    def __init__(self, program, folder, name, addresses, port, **options):
        self.program, self.folder, self.name = program, pathlib.Path(folder), name
        self.addresses, self.port, self.options = addresses, port, options
        self.lives = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        for sink in self.lives[-1:]:
            sink.child.stop_quietly()

    def start(self):
        sink = Sink(self.program, self.folder / str(len(self.lives) + 1), self.name, self.addresses, self.port, keep=False, **self.options)
        self.lives.append(sink)
        sink.__enter__()

    def kill(self):
        self.lives[-1].child.kill()
        self.lives[-1].child.wait(10)

    def lines(self):
        for life, sink in enumerate(self.lives):
            if not sink.log.exists():
                continue
            with sink.log.open() as log:
                for text in log:
                    if text.endswith("\n"):  # the last one may be half written
                        line = json.loads(text)
                        yield Line(line["time_ms"] / 1000, line["mail_from"], line["rcpt"], line["helo"],
                                   (self.name, life, line["listener"], line["connection"]))

    def octets(self):
        """Size of the logs: grows when mail arrives."""
        return sum(sink.log.stat().st_size for sink in self.lives if sink.log.exists())
