"""Faults of the machine that a node runs on: no descriptors, no memory, no disk, nobody who reads its log."""
import signal

import machine
from fault import Fault, bring_back
from processes import WorldError

MEMORY_SPARE = 256 << 10    # octets over what the node has now


class Descriptors(Fault):
    """The node may open no more than it has, and a few."""
    name, group, seconds, needs = "machine.descriptors", "machine", (5.0, 20.0), ("root",)

    def begin(self, ground, choice):
        node = ground.node(choice.node)
        soft = node.descriptors() + choice.number % 4
        if not node.running() or not machine.limit_descriptors(node.child.pid, soft):
            raise WorldError(f"the limit of {node.name} cannot be set")
        return f"{node.name}, {soft}"

    def end(self, ground, choice):
        node = ground.node(choice.node)
        if node.running():
            machine.limit_descriptors(node.child.pid, None)


class Memory(Fault):
    """A cgroup allows the node a little more than it has; where it takes more, the kernel kills it."""
    name, group, seconds, needs = "machine.memory", "machine", (10.0, 20.0), ("memory",)

    def begin(self, ground, choice):
        node, self.group = ground.node(choice.node), machine.MemoryGroup()
        if not self.group.make() or not node.running():
            raise WorldError("no cgroup for the node")
        # What a process has already stays charged to its old group; only what comes is counted and limited.
        self.group.set_limit(self.group.used() + MEMORY_SPARE + choice.number % (4 << 20))
        ground.may_die.add(node.name)
        self.group.take(node.child.pid)
        return node.name

    def end(self, ground, choice):
        node = ground.node(choice.node)
        if getattr(self, "group", None):
            if node.running():
                self.group.give_back(node.child.pid)
            self.group.remove()
        bring_back(node)
        ground.may_die.discard(node.name)


class DiskFull(Fault):
    """The state directory takes not one octet more."""
    name, group, seconds, needs = "machine.disk-full", "machine", (5.0, 25.0), ("disk",)

    def begin(self, ground, choice):
        node = ground.node(choice.node)
        if not ground.disks[f"{node.name}/state"].fill(spare=0):
            raise WorldError("the disk could not be filled")
        return node.name

    def end(self, ground, choice):
        ground.disks[f"{ground.node(choice.node).name}/state"].empty()


class LogBlocked(Fault):
    """Nobody reads what the node writes to stderr."""
    name, group, seconds = "machine.log-blocked", "machine", (5.0, 30.0)

    def begin(self, ground, choice):
        node = ground.node(choice.node)
        self.reader = node.child.reader
        node.block_log()
        return node.name

    def end(self, ground, choice):
        self.reader.send_signal(signal.SIGCONT)


FAULTS = (Descriptors, Memory, DiskFull, LogBlocked)
