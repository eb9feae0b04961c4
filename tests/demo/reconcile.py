"""Holds what was accepted against what arrived and what the events say, message by message. No I/O.

    in      Sent: every message that the API accepted; Arrival: every body that a receiver answered with 250;
            events: as GET /v1/events gives them
    out     Books: totals, rows by site and by tenant, and `faults`: one line for each thing that does not add up
    key     the message id; receivers tell it by the return path (b-<batch>-<index base 36>-<mac>@...)
"""
import collections
import dataclasses
import math
import re

FINAL = {"delivered", "bounced", "expired", "suppressed", "cancelled"}
RETURN_PATH = re.compile(r"^b-([0-9a-f]{32})-([0-9a-z]+)-[0-9a-f]{16}@", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Sent:
    message: str    # message id
    tenant: str
    recipient: str
    site: str       # where its domain's mail goes


@dataclasses.dataclass(frozen=True)
class Arrival:
    message: str
    recipient: str
    site: str


@dataclasses.dataclass
class Row:
    accepted: int = 0
    delivered: int = 0
    bounced: int = 0
    retried: int = 0    # messages that were deferred at least once
    latencies: list = dataclasses.field(default_factory=list)  # ms, from acceptance to 250

    def percentile(self, share):
        """Nearest rank; 0 when nothing was delivered."""
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0


@dataclasses.dataclass
class Books:
    total: Row
    by_site: dict
    by_tenant: dict
    lost: int
    duplicated: int
    faults: list

    @property
    def balanced(self):
        return not self.faults and not self.lost and not self.duplicated \
            and self.total.accepted == self.total.delivered + self.total.bounced


def message_of(return_path):
    """The message id that a return path of ours names; None for any other address."""
    match = RETURN_PATH.match(return_path)
    if not match:
        return None
    batch, index = match.groups()
    uuid = "-".join((batch[:8], batch[8:12], batch[12:16], batch[16:20], batch[20:]))
    return f"{uuid.lower()}.{int(index, 36)}"


def reconcile(sent, arrivals, events):
    by_id = {item.message: item for item in sent}
    faults = []
    if len(by_id) != len(sent):
        faults.append(f"{len(sent) - len(by_id)} message ids were given twice")

    arrived = collections.Counter(arrival.message for arrival in arrivals)
    for arrival in arrivals:
        item = by_id.get(arrival.message)
        if item is None:
            faults.append(f"{arrival.message}: arrived at {arrival.site}, nobody sent it")
        elif arrival.recipient.lower() != item.recipient.lower():
            faults.append(f"{arrival.message}: arrived for {arrival.recipient}, was sent to {item.recipient}")

    kinds, latency = collections.defaultdict(list), {}
    for event_id, group in _by(events, "id").items():
        if len(group) > 1:
            faults.append(f"event {event_id} is listed {len(group)} times")
    for event in events:
        if event["message_id"] not in by_id:
            faults.append(f"event {event['id']} is of a message that nobody sent")
            continue
        kinds[event["message_id"]].append(event["kind"])
        if event["kind"] == "delivered":
            latency[event["message_id"]] = event["latency_ms"]

    total, sites, tenants = Row(), {}, {}
    lost = 0
    for item in by_id.values():
        finals = [kind for kind in kinds[item.message] if kind in FINAL]
        copies = arrived[item.message]
        if len(finals) != 1:
            faults.append(f"{item.message} to {item.recipient}: {len(finals)} final events {finals}")
        if finals and finals[0] == "delivered" and not copies:
            faults.append(f"{item.message} to {item.recipient}: delivered, but it never arrived")
        if finals and finals[0] != "delivered" and copies:
            faults.append(f"{item.message} to {item.recipient}: {finals[0]}, but it arrived")
        if not copies and (not finals or finals[0] == "delivered"):
            lost += 1
        for row in (total, sites.setdefault(item.site, Row()), tenants.setdefault(item.tenant, Row())):
            row.accepted += 1
            row.delivered += "delivered" in finals
            row.bounced += "bounced" in finals
            row.retried += "deferred" in kinds[item.message]
            if item.message in latency:
                row.latencies.append(latency[item.message])
    duplicated = sum(count - 1 for count in arrived.values())
    return Books(total, sites, tenants, lost, duplicated, faults)


def _by(items, key):
    groups = collections.defaultdict(list)
    for item in items:
        groups[item[key]].append(item)
    return groups
