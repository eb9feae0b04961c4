"""PostgreSQL away for a long time with many queued: sending never stops, submitting is refused politely, all is told afterwards.

    in      --seconds (default 600), --queued (default 150,000), --rate (of the submissions, default 5), --nodes (default 2)
    out     sent_while_away, least_in_a_window, refused_while_away; a window of WINDOW seconds without a delivery fails the run, and so
            does a submission that was neither refused with 503 and Retry-After (load.py looks) nor answered later
"""
import time

from run import Run
from slow_sinks import slowly, wait_enqueued

SECONDS, QUEUED = 600.0, 150_000
RATE_OUT = 125.0      # messages a second that the sinks take at least (slow_sinks.py): some 200, so that the queue outlasts the 10 minutes
WINDOW = 10.0         # seconds


def run(args, options):
    seconds, queued = args.seconds or SECONDS, args.queued or QUEUED
    options.nodes, options.rate = args.nodes or 2, args.rate or 5.0
    sinks, settings = slowly(RATE_OUT, options.nodes)
    made = Run(options, f"PostgreSQL away for {seconds:g} s with {queued} queued", sinks, settings)

    def act(run):
        run.load.submit_now(queued)
        wait_enqueued(run)
        run.load.start()
        run.sleep(5)
        run.say(f"PostgreSQL stops: {run.progress()} accepted and ended")
        refused = run.load.answers["503"]
        run.ground.postgres.stop()
        run.faults = 1
        windows = watch(run, seconds)
        run.ground.postgres.start()
        run.say(f"PostgreSQL is back; delivered in each {WINDOW:g} s: {windows}")
        refused = run.load.answers["503"] - refused
        run.extra = {"sent_while_away": sum(windows), "per_second_while_away": round(sum(windows) / seconds, 1),
                     "least_in_a_window": min(windows), "refused_while_away": refused}
        if not min(windows):
            run.ground.problem(f"sending stopped: in {windows.count(0)} of {len(windows)} windows of {WINDOW:g} s nothing arrived")
        if not refused:
            run.ground.problem("no submission was refused with 503 while PostgreSQL was away")
        run.sleep(10)
    return made.execute(act)


def watch(run, seconds):
    """Messages that arrived in each window."""
    windows, end = [], time.monotonic() + seconds
    before = arrived(run)
    while time.monotonic() < end:
        run.sleep(min(WINDOW, max(0.1, end - time.monotonic())))
        now = arrived(run)
        if time.monotonic() < end or not windows:
            windows.append(now - before)
        before = now
    return windows


def arrived(run):
    return sum(sink.log.read_bytes().count(b"\n") for receiver in run.ground.receivers.values() for sink in receiver.lives if sink.log.exists())
