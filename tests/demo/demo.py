#!/usr/bin/python3
"""./dev demo: a campaign of two tenants from the HTTP API to real SMTP servers, with every message accounted for.

    in      --messages N, --json FILE, --keep, --stop (what --keep left running); where the programs are
    out     a table by site and by tenant; with --json {accepted, delivered, bounced, retried, lost, duplicated,
            signatures_checked, signatures_valid, seconds, messages_per_second, p50_ms, p95_ms}
    exit    0 only when everything accepted was delivered or bounced as it should be, nothing twice, and every signature
            of the sample verifies
"""
import argparse
import contextlib
import datetime
import json
import pathlib
import random
import shutil
import subprocess
import sys
import time

import campaign
import kept
import signatures
from api import ApiError
from daemon import NODE, POOL, Daemon, home_of
from processes import WorldError, as_root, wait_until
from reconcile import FINAL, reconcile
from world import SENDERS, SITES, SOURCES, UNKNOWN, World, addresses, site_of

SAMPLE = 250             # messages whose signatures are checked
STALLED_AFTER = 60       # seconds without any progress
RETRIES = ["1s", "2s", "4s", "8s", "15s"]


def main():
    args = arguments()
    if args.stop:
        return kept.stop(args.work)
    try:
        return run(args)
    except (WorldError, ApiError) as error:
        print(f"demo: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
    return 1


def arguments():
    parser = argparse.ArgumentParser(prog="./dev demo", description="A campaign of two tenants, end to end, on real parts.")
    parser.add_argument("--messages", type=int, default=1000, metavar="N", help="how many (default 1000)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--keep", action="store_true", help="leave everything running and say where")
    parser.add_argument("--stop", action="store_true", help="stop what --keep left running")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not 10 <= args.messages <= 2_000_000:
        parser.error("--messages must be 10 to 2000000")
    return args


def run(args):
    kept.stop(args.work, quiet=True)
    home = fresh_home(args.work)
    with contextlib.ExitStack() as stack:
        say(f"starting nsd, three kinds of sinks, Postfix and the daemon (logs: {home})")
        world = stack.enter_context(World(args.bin / "penguin-bench", home))
        daemon = stack.enter_context(Daemon(args.bin / "penguin-mta", home / "daemon", smtp_port=world.port,
                                            name_server=world.nameserver.server, delivery={"retry_ladder": RETRIES}))
        tenants = set_up(daemon, world)
        start = time.time()
        say(f"submitting {args.messages} messages of {len(tenants)} tenants to {sum(len(site.domains) for site in SITES.values())} domains")
        batches, sent = submit_all(tenants, args.messages)
        wait_for_the_end(batches, len(sent))
        books, figures, faults = account(world, tenants, sent, start)
        show(books, figures, faults)
        if args.json:
            args.json.write_text(json.dumps(figures) + "\n")
        if args.keep:
            kept.remember(args.work, [daemon.child.pid, *world.leave_running()], world.postfix.stop_command())
            stack.pop_all()
            show_kept(daemon, world, tenants)
        return 0 if not faults else 1


def fresh_home(work):
    home = home_of(work)
    for path in home.iterdir():
        if path.is_dir():
            subprocess.run(as_root(["rm", "-rf", str(path)]) if not removable(path) else ["rm", "-rf", str(path)], check=True, timeout=120)
        elif path.name != "elsewhere":
            path.unlink()
    return home


def removable(path):
    with contextlib.suppress(OSError):
        shutil.rmtree(path)
        return True
    return False


def set_up(daemon, world):
    admin = daemon.admin()
    campaign.make_pool(admin, POOL, NODE, SOURCES)
    tenants = [campaign.make_tenant(admin, name, domain, POOL, ed25519=name == "globex") for name, domain in SENDERS.items()]
    say("publishing the tenants' DNS records and verifying their domains")
    campaign.publish_and_verify(tenants, world.nameserver)
    return tenants


def submit_all(tenants, total):
    """The tenants take turns, batch by batch. Each also writes to one address that does not exist."""
    turns = []
    for place, tenant in enumerate(tenants):
        count = total // len(tenants) + (place < total % len(tenants))
        turns.append((tenant, list(campaign.batches_of(tenant, [UNKNOWN[place], *addresses(tenant.name, count - 1)]))))
    batches, sent = [], []
    for turn in range(max(len(bodies) for _, bodies in turns)):
        for tenant, bodies in turns:
            if turn < len(bodies):
                batch, accepted = campaign.submit(tenant, bodies[turn], site_of)
                batches.append((tenant, batch))
                sent += accepted
    return batches, sent


def wait_for_the_end(batches, total):
    """Until every message has its final event, with a bar."""
    done, moved, open_batches, finished = -1, time.monotonic(), dict.fromkeys(batches), 0
    while True:
        counts = {key: key[0].api.get(f"/v1/batches/{key[1]}")["counts"] for key in open_batches}
        now = finished + sum(sum(count[kind] for kind in FINAL) for count in counts.values())
        for key, count in counts.items():
            if count["queued"] == 0:
                finished += sum(count[kind] for kind in FINAL)
                del open_batches[key]
        if now != done:
            done, moved = now, time.monotonic()
            bar(done, total)
        if not open_batches:
            bar(done, total, last=True)
            return
        if time.monotonic() - moved > STALLED_AFTER:
            raise WorldError(f"no progress for {STALLED_AFTER} s at {done} of {total} messages")
        time.sleep(0.25)


def account(world, tenants, sent, start):
    events = [event for tenant in tenants for event in tenant.api.pages("/v1/events")]
    delivered = sum(event["kind"] == "delivered" for event in events)
    with contextlib.suppress(WorldError):  # Postfix may still be sorting; if mail never comes, the books say so
        wait_until(lambda: len(world.arrivals()) >= delivered, 60, "all delivered mail is in the mailboxes", step=0.5)
    books = reconcile(sent, world.arrivals(), events)
    last = max((datetime.datetime.fromisoformat(event["at"]).timestamp() for event in events), default=start)
    seconds = max(last - start, 0.001)
    checked, valid, wrong = check_signatures(world)
    faults = books.faults + wrong + expectations(books, events)
    if checked < min(200, books.total.delivered):
        faults.append(f"only {checked} signatures could be checked")
    figures = {
        "accepted": books.total.accepted, "delivered": books.total.delivered, "bounced": books.total.bounced,
        "retried": books.total.retried, "lost": books.lost, "duplicated": books.duplicated,
        "signatures_checked": checked, "signatures_valid": valid,
        "seconds": round(seconds, 3), "messages_per_second": round(books.total.accepted / seconds, 1),
        "p50_ms": books.total.percentile(0.5), "p95_ms": books.total.percentile(0.95),
    }
    if not books.balanced and not faults:
        faults.append(f"accepted {books.total.accepted}, delivered {books.total.delivered}, bounced {books.total.bounced}, "
                      f"lost {books.lost}, duplicated {books.duplicated}")
    return books, figures, faults


def expectations(books, events):
    """What these receivers must have led to."""
    faults = []
    bounced = sorted(event["recipient"] for event in events if event["kind"] == "bounced")
    if bounced != sorted(UNKNOWN):
        faults.append(f"bounced should be {sorted(UNKNOWN)}, is {bounced[:5]}")
    if books.by_site["busy"].accepted >= 100 and not books.by_site["busy"].retried:  # a tenth of few may be none
        faults.append("the busy site deferred nobody")
    in_clear = {event["site"] for event in events if event["kind"] == "delivered" and not event["tls"]}
    if any("plain" not in site for site in in_clear):
        faults.append(f"sent in clear to {sorted(in_clear)}: only the plain site has no TLS")
    return faults


def check_signatures(world):
    """A sample over all sites: of each the same share, by chance."""
    by_site = {}
    for label, read in world.messages():
        by_site.setdefault(label.partition("/")[0], []).append((label, read))
    share = -(-SAMPLE // max(1, len(by_site)))
    sample = [item for kept_ones in by_site.values() for item in random.sample(kept_ones, min(share, len(kept_ones)))]
    two = {domain.encode() for name, domain in SENDERS.items() if name == "globex"}
    plain, both = [], []
    for label, read in sample:
        raw = read()
        (both if any(b"@" + domain in raw for domain in two) else plain).append((label, raw))
    results = [signatures.check(plain, world.nameserver.txt, 1), signatures.check(both, world.nameserver.txt, 2)]
    return sum(r[0] for r in results), sum(r[1] for r in results), [fault for r in results for fault in r[2]]


def say(text):
    print(text, flush=True)


def bar(done, total, last=False):
    width = 40
    full = width * done // max(total, 1)
    if sys.stdout.isatty():
        print(f"\r[{'#' * full}{'.' * (width - full)}] {done}/{total}", end="\n" if last else "", flush=True)
    elif last:
        print(f"[{'#' * full}{'.' * (width - full)}] {done}/{total}", flush=True)


def show(books, figures, faults):
    say(f"\n{'':12}{'accepted':>9}{'delivered':>10}{'bounced':>8}{'retried':>8}{'p50 s':>8}{'p95 s':>8}")
    for title, rows in (("site", books.by_site), ("tenant", books.by_tenant), ("", {"all": books.total})):
        for name, row in sorted(rows.items()):
            say(f"{(title + ' ' if title else '') + name:14}{row.accepted:7}{row.delivered:10}{row.bounced:8}{row.retried:8}"
                f"{row.percentile(0.5) / 1000:8.2f}{row.percentile(0.95) / 1000:8.2f}")
    say(f"\n{figures['messages_per_second']} messages/s over {figures['seconds']} s; signatures: {figures['signatures_valid']} of "
        f"{figures['signatures_checked']} valid; lost {books.lost}, duplicated {books.duplicated}")
    for fault in faults[:20]:
        say(f"  wrong: {fault}")
    if len(faults) > 20:
        say(f"  ... and {len(faults) - 20} more")
    say("demo: everything adds up" if not faults else "demo: FAILED")


def show_kept(daemon, world, tenants):
    say(f"\nleft running until ./dev demo --stop:\n  API      {daemon.url}/v1   (description: {daemon.url}/v1/openapi.yaml)\n"
        f"  metrics  {daemon.url}/metrics\n  DNS      {world.nameserver.server}   SMTP receivers: port {world.port} of 127.0.10.x\n"
        f"  log      {daemon.log}\n  admin    {daemon.admin().token}")
    for tenant in tenants:
        say(f"  {tenant.name:8} {tenant.key['key']}   (sends as anything@{tenant.domain})")
    say(f"  try      curl -H 'Authorization: Bearer {tenants[0].key['key']}' {daemon.url}/v1/batches")


if __name__ == "__main__":
    sys.exit(main())
