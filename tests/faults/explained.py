"""Which repetitions a lost 250 explains. No I/O.

    in      the copies of one message in the order in which sinks took them, its events that say "may be a duplicate", what
            happened to which node and when, when Redis was away
    out     how many of the copies after the first are explained
    rule    the message was sent again because nobody heard of copy k. That is explained only by
              reply lost   an event of this message that is marked may_be_duplicate, from the source that sent copy k; each
                           such event explains one copy. Or
              node lost    the node that sent copy k was killed, died or was stopped while it could not have told yet: at most
                           TELL seconds, not counting those when Redis was away, after the sink took it, or at most LINGER
                           before (its last octet was out already); and copy k is the last that its SMTP connection brought
                           then: nothing came over it until LINGER after that moment.
            A connection has at most one unanswered body, so the second clause explains at most one a connection.
"""
import dataclasses

TELL = 2.0      # seconds: an outcome is told within 50 ms; the rest is what a loaded machine takes
LINGER = 3.0    # seconds that a sink may take to log a body whose last octet had been sent


@dataclasses.dataclass(frozen=True)
class Copy:
    at: float          # when the sink took it, seconds
    node: str
    source: str        # address
    next_at: float = float("inf")   # when the next body came over its connection


@dataclasses.dataclass(frozen=True)
class Incident:
    node: str
    at: float
    what: str


def outage(spans, start, end):
    """Seconds between start and end that lie in one of the spans [(from, to)], which do not overlap."""
    return sum(max(0.0, min(end, to) - max(start, since)) for since, to in spans)


def node_was_lost(copy, incidents, redis_away):
    for incident in incidents:
        if incident.node == copy.node and copy.at - LINGER <= incident.at and copy.next_at > incident.at + LINGER:
            if incident.at - copy.at - outage(redis_away, copy.at, incident.at) <= TELL:
                return incident
    return None


def explain(copies, doubtful_sources, incidents, redis_away=()):
    """Number of explained repetitions, and the copies whose repetition nothing explains."""
    left, explained, without = list(doubtful_sources), 0, []
    for copy in copies[:-1]:
        if copy.source in left:
            left.remove(copy.source)
            explained += 1
        elif node_was_lost(copy, incidents, redis_away):
            explained += 1
        else:
            without.append(copy)
    return explained, without
