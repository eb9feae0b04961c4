"""Every recipient of the campaign, by its serial number: distinct, spread over the sites, and known again from the number alone.

    sites   plain    a sink, reached directly
            busy     a sink with TLS that answers 451 to the first attempt of a twentieth of the recipients
            nobody   a sink that refuses every recipient: the only one whose mail must bounce
            relayed  a sink behind the relay, where the network's faults happen
            faraway  a sink at an address that can be taken away
"""
import re

DOMAINS_A_SITE = 10
NOBODY_EVERY = 97      # every 97th recipient does not exist
GOOD_SITES = ("plain", "busy", "relayed", "faraway")
SITES = (*GOOD_SITES, "nobody")

_RECIPIENT = re.compile(r"^m(\d+)@([a-z]+)-\d\d\.test$")


def domains_of(site):
    return [f"{site}-{number:02}.test" for number in range(1, DOMAINS_A_SITE + 1)]


_GOOD = [domains_of(site)[place] for place in range(DOMAINS_A_SITE) for site in GOOD_SITES]
_BAD = domains_of("nobody")


def must_bounce(serial):
    return serial % NOBODY_EVERY == 0


def recipient(serial):
    if must_bounce(serial):
        return f"m{serial}@{_BAD[serial // NOBODY_EVERY % len(_BAD)]}"
    return f"m{serial}@{_GOOD[serial % len(_GOOD)]}"


def serial_of(address):
    """The serial number of one of our recipients; None for any other address."""
    match = _RECIPIENT.match(address.lower())
    return int(match.group(1)) if match else None
