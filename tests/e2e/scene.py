"""What every end-to-end test stands on: a World of receivers, a Daemon that may die, two verified tenants, the books.

    in      environment: PENGUIN_BIN (folder of the programs; build/dev/bin when not set)
    out     Scene; its files stay in build/e2e/<name> for whoever looks for a failure's cause
    limits  a campaign that makes no progress for STALLED_AFTER seconds fails
"""
import contextlib
import http.client
import os
import pathlib
import subprocess
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "demo"))

import campaign  # noqa: E402
from api import Api, ApiError  # noqa: E402
from daemon import NODE, POOL, Daemon, home_of  # noqa: E402
from processes import WorldError, as_root, wait_until  # noqa: E402
from reconcile import FINAL, reconcile  # noqa: E402
from world import SENDERS, SOURCES, World, site_of  # noqa: E402

BIN = pathlib.Path(os.environ.get("PENGUIN_BIN", ROOT / "build" / "dev" / "bin"))
STALLED_AFTER = 60  # seconds
RETRIES = ["1s", "1s", "2s", "2s", "4s", "8s"]


class Scene:
    def __init__(self, name, sites=(), sink_options=None, world=None, **settings):
        self.home = home_of(ROOT / "build" / "e2e" / name)
        subprocess.run(as_root(["sh", "-c", f"rm -rf {self.home}/*/"]), check=True, timeout=60)
        self.world = world(self.home) if world else World(BIN / "penguin-bench", self.home, sites, sink_options)
        settings.setdefault("delivery", {}).setdefault("retry_ladder", RETRIES)
        self.daemon = None
        self._settings, self._stack = settings, contextlib.ExitStack()
        self.tenants, self.sent, self.batches = [], [], []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.world)
            self.daemon = stack.enter_context(Daemon(BIN / "penguin-mta", self.home / "daemon", smtp_port=self.world.port,
                                                     name_server=self.world.nameserver.server, **self._settings))
            admin = self.daemon.admin()
            campaign.make_pool(admin, POOL, NODE, SOURCES)
            self.tenants = [campaign.make_tenant(admin, name, domain, POOL) for name, domain in SENDERS.items()]
            campaign.publish_and_verify(self.tenants, self.world.nameserver)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def add_node(self, name, sources):
        """Another node on the first one's stores, with [(address, EHLO name)] of its own. Ends with the scene."""
        state = self.daemon.state
        settings = {**self._settings, "node": {"name": name}, "redis": {"url": f"unix://{state}/run/redis.sock"},
                    "database": {f"{key}dsn": f"host={state}/run port=5432 dbname=postgres user={user}"
                                 for key, user in (("", "pm_api"), ("worker_", "pm_worker"))},
                    "keys": {"master_key_file": str(state / "master.key")}}
        node = Daemon(BIN / "penguin-mta", self.home / name, smtp_port=self.world.port,
                      name_server=self.world.nameserver.server, **settings)
        self._stack.enter_context(node)
        campaign.make_pool(self.daemon.admin(), POOL, name, sources)
        return node

    def submit(self, addresses, tenant=0, size=campaign.BATCH_MAX, revive=None, campaign_id=None):
        """Sends to each address once. `revive`: called when the daemon is away, to start it again; the call is then
        repeated with the same Idempotency-Key, which must not send twice."""
        for body in campaign.batches_of(self.tenants[tenant], addresses, size, campaign_id):
            key = str(uuid.uuid4())
            while True:
                try:
                    batch, sent = campaign.submit(self.tenants[tenant], body, site_of, key)
                    break
                except (OSError, http.client.HTTPException):
                    if revive is None:
                        raise
                    wait_until(lambda: not self.daemon.running(), 30, "the daemon that dropped a call is dead")
                    revive()
            self.batches.append((self.tenants[tenant], batch))
            self.sent += sent

    def finals(self):
        """Messages that have their final event, over all batches."""
        return sum(sum(counts[kind] for kind in FINAL) for counts in self.counts())

    def counts(self):
        return [tenant.api.get(f"/v1/batches/{batch}")["counts"] for tenant, batch in self.batches]

    def wait_for_finals(self, wanted, patience=STALLED_AFTER):
        done, moved = -1, time.monotonic()
        while (now := self.finals()) < wanted:
            if now != done:
                done, moved = now, time.monotonic()
            if time.monotonic() - moved > patience:
                raise WorldError(f"no progress for {patience} s at {done} of {wanted} messages; daemon log: {self.daemon.log}")
            time.sleep(0.1)

    @staticmethod
    def wait_for(holds, seconds, what):
        wait_until(holds, seconds, what, step=0.2)

    def settle(self, patience=STALLED_AFTER):
        """Waits for every final event, then for the mail that Postfix still sorts, and gives the books."""
        self.wait_for_finals(len(self.sent), patience)
        return self.books()

    def books(self):
        events = self.events()
        delivered = sum(event["kind"] == "delivered" for event in events)
        with contextlib.suppress(WorldError):
            wait_until(lambda: len(self.world.arrivals()) >= delivered, 20, "mail is in the mailboxes", step=0.2)
        return reconcile(self.sent, self.world.arrivals(), events)

    def events(self):
        return [event for tenant in self.tenants for event in tenant.api.pages("/v1/events")]

    def restart(self, crash_at=None):
        """False when it died again at `crash_at` before it was ready."""
        return self.daemon.start(crash_at)


__all__ = ["Api", "ApiError", "BIN", "ROOT", "Scene", "WorldError", "site_of", "wait_until"]
