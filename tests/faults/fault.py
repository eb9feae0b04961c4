"""What a fault is: it begins, lasts as long as the plan says, and ends with everything as before.

    begin   does it; returns soon, at the latest when it is done. May give a word for the log.
    end     undoes it; also called when `begin` failed, so it must not count on what `begin` did
    needs   abilities of the machine (machine.py); where one is missing, the fault is left out
"""


class Fault:
    name = ""
    group = ""
    seconds = (5.0, 15.0)     # how long it lasts: shortest, longest
    needs = ()

    def begin(self, ground, choice):
        raise NotImplementedError

    def end(self, ground, choice):
        """Nothing to undo."""


def bring_back(node):
    """A node that should run and does not: dead, or armed with a crash point."""
    with node.lock:
        if node.running() and (node.child.env or {}).get("PENGUIN_CRASH_AT"):
            node.stop()
        node.env = {}
        if not node.running():
            node.start()
