"""All that a campaign needs, started and set up: stores, name server, sinks, relay, 1 to 3 nodes, two tenants.

    in      where the programs are, a folder, number of nodes, options for the sinks
    out     Ground: its parts by name; `incidents`: what was done to which node, and when; `problems`: what must not happen
    errors  WorldError
"""
import base64
import contextlib
import os
import pathlib
import shutil
import subprocess
import threading
import time

import campaign
import people
from api import ApiError
from daemon import POOL
from explained import Incident
from machine import FARAWAY, SmallDisk
from nameserver import Nameserver
from node import Node, node_name, sources_of
from postgres_store import PostgresStore
from processes import WorldError, free_port, tail, wait_until
from receivers import Receiver
from redis_store import RedisStore
from relays import Relays

HOSTS_ZONE = "mx.test"
TENANTS = {"acme": "acme.test", "globex": "globex.test"}
STATE_DISK, DATABASE_DISK = 256 << 20, 8 << 30   # octets that a disk may take; it takes only what is used
READY_WITHIN = 120
# The waits before a 250 make it likely that some body is unanswered whenever something dies.
SINK_OPTIONS = {"plain": {"tls": False, "rules": ["phase=body delay-ms=40"]}, "busy": {"defer_first": 0.05},
                "relayed": {"tls": False, "rules": ["phase=body delay-ms=60"]},
                "faraway": {"tls": False, "rules": ["phase=body delay-ms=150"]},
                "nobody": {"tls": False, "rules": ['phase=rcpt code=550 text="5.1.1 no such user"']}}


class Ground:
    def __init__(self, bin_folder, home, nodes, abilities, sink_options=None, settings=None):
        self.bin, self.home, self.abilities = pathlib.Path(bin_folder).resolve(), pathlib.Path(home), abilities
        self.incidents, self.problems, self.notes = [], [], []
        self.may_die = set()      # nodes that the kernel may kill now: their memory is limited
        self.node_count, self.sink_options = nodes, {**SINK_OPTIONS, **(sink_options or {})}
        self.settings = settings or {}
        self.nodes, self.receivers, self.tenants, self.disks = [], {}, [], {}
        self._stack = contextlib.ExitStack()
        self._over = threading.Event()

    # --- life ---
    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._make(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._stack.close()

    def _make(self, stack):
        ports = self._ports(5 + self.node_count)
        smtp, dns_front, redis_front, redis_port, redis_spare = ports[:5]
        self.smtp_port = smtp
        self.nameserver = stack.enter_context(Nameserver(self._folder("dns"), self._zones()))
        for site in people.SITES:
            options = dict(self.sink_options[site])
            self.receivers[site] = stack.enter_context(
                Receiver(self.bin / "penguin-bench", self._folder("sinks") / site, site, [self._sink_address(site)], smtp, **options))
        self.redis = stack.enter_context(RedisStore(self._folder("redis"), redis_port, redis_spare))
        self.postgres = stack.enter_context(PostgresStore(self._folder("pg"), self._disk(stack, "pg/disk", DATABASE_DISK)))
        self.relays = stack.enter_context(Relays(
            self._folder("relay"),
            {"redis": (("127.0.0.1", redis_front), ("127.0.0.1", redis_port)),
             "smtp": ((self._mx_address("relayed"), smtp), (self._sink_address("relayed"), smtp))},
            {"dns": (("127.0.0.1", dns_front), (self.nameserver.address, self.nameserver.port))}))
        for number in range(1, self.node_count + 1):
            folder = self._folder(node_name(number))
            self._disk(stack, f"{node_name(number)}/state", STATE_DISK)
            node = Node(self.bin / "penguin-mta", folder, number, ports[4 + number], self._settings(redis_front, dns_front))
            self.nodes.append(stack.enter_context(_Leaving(node)))
        self._migrate()
        self._set_up_fleet()
        threading.Thread(target=self._watch, daemon=True).start()

    def _settings(self, redis_front, dns_front):
        own = {"smtp": {"port": self.smtp_port, "allow_targets": ["127.0.0.0/8", f"{FARAWAY}/32"]},
               "dns": {"servers": [f"127.0.0.1:{dns_front}"], "timeout": "500ms", "tries": 2},
               "redis": {"url": f"redis://127.0.0.1:{redis_front}"},
               "database": {"dsn": self.postgres.dsn("pm_api"), "worker_dsn": self.postgres.dsn("pm_worker"),
                            "owner_dsn": self.postgres.dsn("penguin_owner"), "statement_timeout": "10s"},
               "keys": {"master_key_file": str(self.home / "master.key")}}
        for section, keys in self.settings.items():
            own[section] = {**own.get(section, {}), **keys}
        return own

    def migrate(self, config, database=None):
        """`penguin-mta migrate` with a node's configuration; (exit status, what it said)."""
        run = subprocess.run([self.bin / "penguin-mta", "migrate", "--config", config], capture_output=True, text=True, timeout=120)
        return run.returncode, (run.stdout + run.stderr).strip()

    def _migrate(self):
        make_master_key(self.home / "master.key")
        first = self.nodes[0]
        first.write_configuration()
        status, said = self.migrate(first.config)
        if status:
            raise WorldError(f"penguin-mta migrate: {said[-500:]}")

    def _set_up_fleet(self):
        first = self.nodes[0]
        first.start(ready=True)
        self.admin = first.admin()
        with contextlib.suppress(ApiError):   # the daemon may have made its own pool
            self.admin.post("/v1/pools", {"name": POOL})
        for node in self.nodes[1:]:
            node.start()
        self.open_sources()
        self.tenants = [campaign.make_tenant(self.admin, name, domain, POOL) for name, domain in TENANTS.items()]
        campaign.publish_and_verify(self.tenants, self.nameserver)
        for node in self.nodes:
            wait_until(node.is_ready, READY_WITHIN, f"{node.name} is ready; log: {node.log}")

    def open_sources(self):
        for node in self.nodes:
            campaign.make_pool(self.admin, POOL, node.name, sources_of(node.number))

    # --- while it runs ---
    def node(self, number):
        return self.nodes[(number - 1) % len(self.nodes)]

    def incident(self, node, what):
        """Noted before it is done, so that nothing can have happened earlier."""
        self.incidents.append(Incident(node.name, time.time(), what))

    def problem(self, line):
        self.problems.append(line)
        print(f"  PROBLEM {line}", flush=True)

    def _watch(self):
        """Brings nodes back as systemd would. A death by a signal that is not ours is a problem; an exit is a note."""
        while not self._over.wait(0.2):
            for node in self.nodes:
                with node.lock:
                    if node.wanted == "up" and node.child and not node.running() and not self._over.is_set():
                        self._revive(node)

    def _revive(self, node):
        status = node.child.process.returncode
        self.incident(node, f"died {status}")
        if status == -9 and (node.child.env or {}).get("PENGUIN_CRASH_AT"):
            node.wanted = "crashed"   # as was asked for; the fault brings it back
            return
        if status < 0 and not (status == -9 and node.name in self.may_die):
            self.problem(f"{node.name} died by signal {-status}: {last_words(node.log)}")
        else:
            self.notes.append(f"{time.strftime('%H:%M:%S')} {node.name} ended with status {status}: {last_words(node.log)}")
        time.sleep(0.5)
        node.start()

    # --- where things are ---
    def _folder(self, name):
        folder = self.home / name
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        return folder

    def _disk(self, stack, name, octets):
        folder = self._folder(name)
        if "disk" in self.abilities:
            disk = SmallDisk(folder, octets)
            if not disk.mount():
                raise WorldError(f"cannot mount a small disk at {folder}")
            stack.callback(disk.unmount)
            self.disks[name] = disk
        return folder

    @staticmethod
    def _ports(count):
        ports, last = [], 0
        for _ in range(count):
            last = free_port(("127.0.0.1", "127.0.10.1", "127.0.11.1"), above=last)
            ports.append(last)
        return ports

    def _mx_address(self, site):
        if site == "faraway" and "netns" in self.abilities:
            return FARAWAY
        return f"127.0.10.{people.SITES.index(site) + 1}"

    def _sink_address(self, site):
        return self._mx_address(site).replace("127.0.10.", "127.0.11.") if site == "relayed" else self._mx_address(site)

    def _zones(self):
        hosts = [f"{site} A {self._mx_address(site)}" for site in people.SITES]
        for number in range(1, self.node_count + 1):
            hosts += [f"{name.partition('.')[0]} A {address}" for address, name in sources_of(number)]
        zones = {HOSTS_ZONE: hosts}
        for site in people.SITES:
            zones.update((domain, [f"@ MX 10 {site}.{HOSTS_ZONE}."]) for domain in people.domains_of(site))
        zones.update((domain, []) for domain in TENANTS.values())
        return zones


class _Leaving:
    """A node that is started later, but ended with the rest."""

    def __init__(self, node):
        self.node = node

    def __enter__(self):
        return self.node

    def __exit__(self, *problem):
        self.node.__exit__(*problem)


def make_master_key(path):
    path.write_text(base64.b64encode(os.urandom(32)).decode() + "\n")
    path.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(path, "penguin-mta", "penguin-mta")


def last_words(log):
    return " | ".join(line[:300] for line in tail(log, 3).splitlines())
