"""A node stands still for longer than its lease and goes on: it finishes nothing that is no longer its own.

    in      --seconds (default 300), --times, --rate (default 60), --nodes (default 3)
    out     late_events: outcomes that were told late, and kept
    judged  between the stop (and what was on the wire then) and its next heartbeat the node begins no transaction (seen by the
            relay before one site) and finishes no body (seen by every sink); repeats as always (README.md), and each is marked: it
            lives on, so it says what it does not know
"""
import time

from explained import LINGER
from node import sources_of
from processes import WorldError, wait_until
from queue_view import hand, heartbeat, patiently
from run import Run
from slow_sinks import slowly

SECONDS = 300.0
REJOIN_WITHIN = 60.0
WARM_UP = 10.0


def run(args, options):
    seconds = args.seconds or SECONDS
    options.nodes, options.rate = args.nodes or 3, args.rate or 60.0
    sinks, settings = slowly(options.rate * 1.5, options.nodes)
    made = Run(options, f"one of {options.nodes} nodes stopped for {seconds:g} s, {args.times} times", sinks, settings)
    made.all_marked = True
    made.extra = {"held": [], "rejoined_seconds": []}

    def act(run):
        run.load.start()
        silent = []
        for turn in range(args.times):
            run.sleep(WARM_UP)
            silent.append(once(run, run.ground.node(turn + 1), seconds))
        run.sleep(WARM_UP)
        judge(run, silent)
        run.extra["late_events"] = int(run.ground.postgres.psql("select count(*) from analytics.events where late;"))
    return made.execute(act)


def once(run, node, seconds):
    """(node, from, to): when nothing may come from it."""
    run.ground.incident(node, "SIGSTOP")
    node.freeze()
    stopped = time.time()
    held = patiently(run.ground, lambda redis: hand(redis, node), set())
    run.say(f"{node.name} stopped with {len(held)} messages in its hand")
    run.faults += 1
    run.sleep(seconds)
    went_on = time.time()
    node.freeze(False)
    try:
        wait_until(lambda: patiently(run.ground, lambda redis: heartbeat(redis, node), 0.0) >= went_on, REJOIN_WITHIN, "it has rejoined")
    except WorldError:
        run.ground.problem(f"{node.name} has not rejoined within {REJOIN_WITHIN:g} s after SIGCONT")
    rejoined = time.time()
    run.extra["held"].append(len(held))
    run.extra["rejoined_seconds"].append(round(rejoined - went_on, 2))
    run.say(f"  {node.name} went on, and had its name again after {rejoined - went_on:.2f} s")
    # Redis gives the heartbeat's time, we look 20 times a second: what came within the last look may be of the new lease.
    return node, stopped, rejoined - 0.2


def judge(run, silent):
    for node, since, until in silent:
        addresses = {address for address, _ in sources_of(node.number)}
        names = {name for _, name in sources_of(node.number)}
        begun = [at for at, address in run.ground.relays.transactions() if address in addresses and since + 0.5 < at < until]
        finished = [line for receiver in run.ground.receivers.values() for line in receiver.lines()
                    if line.helo in names and since + LINGER < line.at < until]
        if begun:
            run.ground.problem(f"{node.name} began {len(begun)} transactions without its lease, the first {begun[0] - since:.1f} s after the stop")
        if finished:
            run.ground.problem(f"{node.name} finished {len(finished)} bodies without its lease, the first {finished[0].at - since:.1f} s after the stop")
