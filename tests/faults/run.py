"""What every run has in common: a ground, a load, something done to it, then settling, the books and the figures.

    in      Options; `act(run)`: what this run does while the load goes on
    out     the figures (figures.py), printed and written to --json; exit status 0 only when nothing failed
    errors  WorldError when the world does not come up: that is no verdict
"""
import contextlib
import dataclasses
import fcntl
import json
import pathlib
import subprocess
import time

import machine
from daemon import home_of
from figures import figures
from ground import Ground
from load import Load
from processes import WorldError, as_root, wait_until
from settle import gather, progress, settled

HEAL_WITHIN = 120          # seconds until every node is ready again
IDLE_WITHIN = 60           # seconds until what is over is tidied away: keys in Redis, connections, descriptors
KEEP_EVENTS_MAX = 500_000  # events that are written to events.tsv
DESCRIPTORS_SPARE = 16     # more than before the load: a leak


@dataclasses.dataclass
class Options:
    bin: pathlib.Path
    work: pathlib.Path
    seed: int = 1
    rate: float = 50.0
    nodes: int = 2
    seconds: float = 300.0
    json: pathlib.Path = None
    names: list = None
    settle_max: float = 1800.0
    more: dict = dataclasses.field(default_factory=dict)     # what one scenario alone asks for


class Run:
    def __init__(self, options, title, sink_options=None, settings=None):
        self.options, self.title = options, title
        self.home, self.lock = fresh_home(options.work)
        self.abilities = machine.abilities(self.home, options.bin)
        self.ground = Ground(options.bin, self.home, options.nodes, self.abilities, sink_options, settings)
        self.load, self.faults, self.began = None, 0, time.monotonic()
        self.extra = {}
        self.all_marked = False   # whether each repeated message must have an event that marks it

    def say(self, text):
        seconds = int(time.monotonic() - self.began)
        print(f"{seconds // 60:3}:{seconds % 60:02} {text}", flush=True)

    def execute(self, act):
        """Figures of the whole run."""
        self.say(f"{self.title}: seed {self.options.seed}, {self.options.nodes} nodes, {self.options.rate:g} messages/s, files in {self.home}")
        with self.ground:
            for node in self.ground.nodes:
                node.idle_descriptors = node.descriptors()
            self.load = Load(self.ground, self.options.rate, self.home / "accepted.jsonl", self.options.seed)
            try:
                act(self)
            finally:
                self.load.stop()
            self.heal()
            out = self.reckon()
        self.report(out)
        return out

    def sleep(self, seconds):
        time.sleep(max(0.0, seconds))

    def heal(self):
        """Everything is as it should be, from outside. Then each node must become ready by itself."""
        ground = self.ground
        for name in ("redis", "smtp", "dns"):
            ground.relays.set(name, "pass")
        self.say(f"no more load: {self.load.accepted()} messages accepted, answers {dict(self.load.answers)}")
        for node in ground.nodes:
            try:
                wait_until(node.is_ready, HEAL_WITHIN, f"{node.name} is ready again", step=0.5)
            except WorldError as error:
                ground.problem(str(error))

    def reckon(self):
        seconds, complete = settled(self.ground, self.say, limit=self.options.settle_max)
        self.say(f"settled in {seconds:.0f} s" if complete else f"not settled after {seconds:.0f} s")
        verdict, left = gather(self.ground, self.home / "accepted.jsonl")
        deadline = time.monotonic() + IDLE_WITHIN
        while complete and left and time.monotonic() < deadline:
            time.sleep(5)
            verdict, left = gather(self.ground, self.home / "accepted.jsonl")
        left.update(self._still_open())
        self._keep_events()
        unmarked = verdict.counts["duplicated_unmarked"]
        if self.all_marked and unmarked:
            self.ground.problem(f"{unmarked} repeated messages have no event that is marked may_be_duplicate or late")
        return figures(verdict, self.faults, self.options.seed, left, self.ground.problems, notes=self.ground.notes,
                       title=self.title, nodes=self.options.nodes, rate=self.options.rate, settled_seconds=round(seconds),
                       minutes=round((time.monotonic() - self.began) / 60, 1), answers=dict(self.load.answers),
                       slowest_answer_seconds=round(self.load.slowest, 2), resident_mib=self._resident(), **self.extra)

    def _keep_events(self):
        """The ledger goes with its disk: what it said stays as a file for whoever looks for a cause."""
        if int(self.ground.postgres.psql("select count(*) from analytics.events;")) <= KEEP_EVENTS_MAX:
            with open(self.home / "events.tsv", "w") as file:
                for row in self.ground.postgres.rows("select * from analytics.events order by position"):
                    file.write("\t".join(row) + "\n")

    def _still_open(self):
        """Connections to sinks, and descriptors over those before the load."""
        left = {}
        for node in self.ground.nodes:
            with contextlib.suppress(WorldError):
                wait_until(lambda: node.connections() == 0, 20, "connections closed", step=0.5)
            more = node.descriptors() - node.idle_descriptors - DESCRIPTORS_SPARE
            if more > 0:
                left[f"descriptors of {node.name}"] = more + DESCRIPTORS_SPARE
        if self.ground.nodes and self.ground.nodes[0].connections():
            left["SMTP connections"] = self.ground.nodes[0].connections()
        return left

    def _resident(self):
        return {node.name: machine.resident(node.child.pid) >> 20 for node in self.ground.nodes}

    def report(self, out):
        for name in ("accepted", "delivered", "bounced", "cancelled", "queued", "lost", "duplicated", "duplicated_explained",
                     "wrongly_bounced", "stuck", "untold", "faults"):
            print(f"  {name:22}{out[name]:10}")
        for note in out["notes"]:
            print(f"  note: {note}")
        for kind, lines in out["examples"].items():
            for line in lines[:5]:
                print(f"  {kind}: {line}")
        if self.options.json:
            self.options.json.write_text(json.dumps(out) + "\n")
        if out["failures"]:
            print(f"faults: FAILED, seed {out['seed']}: " + "; ".join(out["failures"]), flush=True)
        else:
            print(f"faults: everything adds up, seed {out['seed']}", flush=True)

    def progress(self):
        """(messages in PostgreSQL, those that have their end); None while it cannot be asked."""
        with contextlib.suppress(WorldError):
            return progress(self.ground)
        return None


def fresh_home(work):
    """(where the files of this run lie, a file that is locked for as long as it runs)."""
    home = home_of(work)
    lock = open(home / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise WorldError(f"another run has its files in {home}: give this one a folder of its own with --work") from None
    subprocess.run(as_root(["sh", "-c", 'rm -rf "$0"/*/ "$0"/*.jsonl "$0"/*.log', str(home)]), check=True, timeout=120)
    return home, lock
