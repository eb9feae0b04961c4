"""Faults of a node: it dies, stands still, stops, comes back with a wrong clock, or dies at an exact point."""
import re

import machine
from fault import Fault, bring_back
from places import ROOT
from processes import WorldError, wait_until

READY_WITHIN = 90   # seconds, for the next node of a rolling restart


def crash_points():
    """Every crash point that the sources name."""
    found = set()
    for folder in ("engine", "dkim", "control"):
        for path in sorted((ROOT / folder).rglob("*.cpp")):
            found |= set(re.findall(r'crash_point\(\s*"([^"]+)"', path.read_text(errors="replace")))
    scripts = ROOT / "engine" / "queue" / "scripts"
    for path in scripts.glob("*.lua"):
        if path.stem in ("common", "tenant_limits"):   # parts of each
            continue
        found |= {f"queue.{path.stem}.before", f"queue.{path.stem}.after"}
    return sorted(found)


class Kill(Fault):
    name, group, seconds = "node.kill", "node", (0.5, 45.0)   # some longer than its lease

    def begin(self, ground, choice):
        node = ground.node(choice.node)
        ground.incident(node, "kill -9")
        node.kill()
        return node.name

    def end(self, ground, choice):
        bring_back(ground.node(choice.node))


class Freeze(Fault):
    """SIGSTOP for as long as a lease."""
    name, group, seconds = "node.freeze", "node", (5.0, 40.0)

    def begin(self, ground, choice):
        self.node = ground.node(choice.node)
        ground.incident(self.node, "SIGSTOP")
        self.node.freeze()
        return self.node.name

    def end(self, ground, choice):
        ground.node(choice.node).freeze(False)


class Restart(Fault):
    name, group, seconds = "node.restart", "node", (0.5, 5.0)

    def begin(self, ground, choice):
        node = ground.node(choice.node)
        stopped = node.stop()
        if stopped is None:
            ground.incident(node, "did not stop")
            ground.problem(f"{node.name} did not stop within a minute of SIGTERM")
        return f"{node.name}, exit status {stopped}"

    def end(self, ground, choice):
        bring_back(ground.node(choice.node))


class Rolling(Fault):
    """All nodes one after the other, as for an upgrade; each is ready before the next one goes."""
    name, group, seconds = "node.rolling", "node", (1.0, 2.0)

    def begin(self, ground, choice):
        for node in ground.nodes:
            if node.stop() is None:
                ground.incident(node, "did not stop")
                ground.problem(f"{node.name} did not stop within a minute of SIGTERM")
            node.start()
            try:
                wait_until(node.is_ready, READY_WITHIN, "ready", step=0.2)
            except WorldError:
                ground.notes.append(f"rolling restart: {node.name} was not ready within {READY_WITHIN} s")
        return f"{len(ground.nodes)} nodes"

    def end(self, ground, choice):
        for node in ground.nodes:
            bring_back(node)


class Clock(Fault):
    group, seconds, needs = "node", (10.0, 30.0), ("clock",)
    offset = 0

    def begin(self, ground, choice):
        node = ground.node(choice.node)
        node.stop()
        node.env = {"LD_PRELOAD": str(machine.clock_shim(ground.home, ground.bin)), "FAULTS_CLOCK_OFFSET_S": str(self.offset)}
        node.start()
        return node.name

    def end(self, ground, choice):
        node = ground.node(choice.node)
        node.env = {}
        if (node.child.env or {}).get("LD_PRELOAD"):
            node.stop()
        bring_back(node)


class ClockAhead(Clock):
    name, offset = "node.clock-ahead", 3600


class ClockBehind(Clock):
    name, offset = "node.clock-behind", -3600


class CrashPoint(Fault):
    """The node starts with one crash point armed, chosen by the plan, and dies there if it comes by."""
    name, group, seconds = "node.crash-point", "node", (6.0, 15.0)

    def begin(self, ground, choice):
        points = crash_points()
        point, count = points[choice.number % len(points)], choice.number // len(points) % 20 + 1
        node = ground.node(choice.node)
        node.stop()
        node.start(crash_at=f"{point}:{count}")
        return f"{node.name} at {point}:{count}"

    def end(self, ground, choice):
        bring_back(ground.node(choice.node))


FAULTS = (Kill, Freeze, Restart, Rolling, ClockAhead, ClockBehind, CrashPoint)
