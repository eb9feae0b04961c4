"""FLUSHALL while many are queued and sending goes on: all queued again within two minutes, by itself, none twice.

    in      --queued (default 100,000), --rate (of the load beside it, default 5), --nodes (default 2)
    out     requeued_seconds; more than REQUEUED_WITHIN, or never, fails the run, and so does any repetition
"""
import time

from queue_view import live, patiently
from run import Run
from slow_sinks import slowly, wait_enqueued

QUEUED = 100_000
REQUEUED_WITHIN = 120.0    # seconds
LOOK_FOR = 300.0           # seconds that we look
DRAIN_SECONDS = 400.0      # that the queue would last: sending goes on all the time


def run(args, options):
    queued = args.queued or QUEUED
    options.nodes, options.rate = args.nodes or 2, args.rate or 5.0
    sinks, settings = slowly(queued / DRAIN_SECONDS, options.nodes)
    made = Run(options, f"FLUSHALL with {queued} queued", sinks, settings)

    def act(run):
        run.load.submit_now(queued)
        run.load.start()
        wait_enqueued(run)
        total, ended = run.progress()
        before = patiently(run.ground, live, 0)
        run.say(f"FLUSHALL: {total} accepted, {ended} ended, {before} in Redis")
        with run.ground.redis.open() as redis:
            redis("FLUSHALL")
        run.faults = 1
        seconds = requeued(run)
        run.extra = {"queued_before": before, "requeued_seconds": seconds}
        run.say(f"queued again after {seconds} s")
        if seconds is None or seconds > REQUEUED_WITHIN:
            run.ground.problem(f"not all queued again within {REQUEUED_WITHIN:g} s (all: {seconds} s)")
    return made.execute(act)


def requeued(run):
    """Seconds until Redis has every message that has no end yet; None when that does not come."""
    began, said = time.monotonic(), 0.0
    while time.monotonic() - began < LOOK_FOR:
        # Read in this order a message that ends meanwhile is counted twice at most, never missed; the load adds a few.
        there, told = patiently(run.ground, live, 0), run.progress()
        if told and there + told[1] >= told[0] - run.options.rate * 3:
            return round(time.monotonic() - began, 1)
        if time.monotonic() - said > 10:
            said = time.monotonic()
            run.say(f"  {there} in Redis, {told} accepted and ended")
        time.sleep(0.5)
    return None
