"""Three nodes, one killed for good: what it held goes on within a minute.

    in      --times (each time another node), --rate (default 60), --nodes (default 3)
    out     held, went_on_seconds: a list each; more than WITHIN seconds fails the run
"""
import time

from fault import bring_back
from processes import wait_until
from queue_view import hand, patiently
from reconcile import message_of
from run import Run
from slow_sinks import slowly

WITHIN = 60.0
LOOK_FOR = 150.0
WARM_UP = 10.0
BURST_SECONDS = 60     # of the rate, submitted at once
CAPACITY = 3.0     # of the sinks, over the rate: two nodes of three still keep up


def run(args, options):
    options.nodes, options.rate = args.nodes or 3, args.rate or 60.0
    sinks, settings = slowly(options.rate * CAPACITY, options.nodes)
    made = Run(options, f"one of {options.nodes} nodes killed, {args.times} times", sinks, settings)
    made.extra = {"held": [], "went_on_seconds": []}

    def act(run):
        run.load.start()
        for turn in range(args.times):
            run.sleep(WARM_UP)
            once(run, run.ground.node(turn + 1))
    return made.execute(act)


def once(run, node):
    run.load.submit_now(int(run.options.rate * BURST_SECONDS))   # so that its hand is full
    wait_until(lambda: patiently(run.ground, lambda redis: hand(redis, node), set()), WARM_UP, f"{node.name} has something in its hand")
    run.ground.incident(node, "kill -9")
    node.kill()
    killed, began = time.time(), time.monotonic()
    run.faults += 1
    held = patiently(run.ground, lambda redis: hand(redis, node), set())
    waiting = set(held) - seen(run)
    run.say(f"{node.name} killed with {len(held)} messages in its hand, {len(waiting)} of them not taken by a sink")
    while waiting and time.monotonic() - began < LOOK_FOR:
        time.sleep(1)
        waiting -= seen(run)
    seconds = None if waiting else round(time.time() - killed, 1)
    run.extra["held"].append(len(held))
    run.extra["went_on_seconds"].append(seconds)
    run.say(f"  all of them went on after {seconds} s")
    if seconds is None or seconds > WITHIN:
        run.ground.problem(f"{len(waiting)} of {len(held)} messages of {node.name} did not go on within {WITHIN:g} s: {sorted(waiting)[:3]}")
    bring_back(node)


def seen(run):
    """Messages that arrived, or of which any event was told."""
    found = {message_of(line.mail_from) for receiver in run.ground.receivers.values() for line in receiver.lines()}
    for batch, index in run.ground.postgres.rows("select batch_id, idx from analytics.events"):
        found.add(f"{batch}.{index}")
    return found
