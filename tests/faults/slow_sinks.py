"""Receivers that take so many messages a second and no more, so that a queue lasts as long as a scenario needs it."""
import time

from node import SOURCES_A_NODE
from people import GOOD_SITES
from processes import WorldError

CONNECTIONS = 4          # of a source to a site
ENQUEUED_WITHIN = 300    # seconds


def slowly(rate, nodes):
    """(options for the sinks, settings for the nodes): together they deliver `rate` messages a second, and up to twice as many.
    A node may use one of its sources alone for a site, because it keeps the source of a mailbox there."""
    connections = nodes * CONNECTIONS * len(GOOD_SITES)
    delay = max(1, round(1000 * connections / rate))
    sinks = {site: {"tls": False, "rules": [f"phase=body delay-ms={delay}"]} for site in GOOD_SITES}
    return sinks, {"delivery": {"connections_per_lane": CONNECTIONS, "connections_per_site": CONNECTIONS * SOURCES_A_NODE}}


def wait_enqueued(run):
    """Until the pump has brought everything to Redis."""
    deadline = time.monotonic() + ENQUEUED_WITHIN
    query = "select coalesce(sum(total), 0) - coalesce(sum(enqueued), 0) from queue.batches where state = 'accepted';"
    while int(run.ground.postgres.psql(query)) > run.options.rate * 3:
        if time.monotonic() > deadline:
            raise WorldError(f"the pump has not brought everything to Redis within {ENQUEUED_WITHIN} s")
        time.sleep(1)


