"""Faults of PostgreSQL: it dies, is away, is slow, has no room or no connection left, locks, or a migration fails in it."""
import contextlib
import random
import signal
import subprocess
import threading
import time

from fault import Fault
from processes import WorldError

OURS = "usename in ('pm_api', 'pm_worker')"
COMMIT_SLEEP = 0.5     # seconds
# Tables that some row changes in: by whom a transaction that writes is known.
WRITTEN = ("queue.batches", "content.contents", "analytics.ledger_positions", "control.settings_version", "control.api_keys")

SLOW = """
set lock_timeout = '5s';
create schema if not exists faults;
create or replace function faults.slow_commit() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if coalesce(current_setting('faults.slept', true), '') <> pg_current_xact_id()::text then
        perform set_config('faults.slept', pg_current_xact_id()::text, true);
        perform pg_sleep(%s);
    end if;
    return null;
end $$;
grant usage on schema faults to public;
"""


class Kill(Fault):
    name, group, seconds = "postgres.kill", "postgres", (0.5, 8.0)

    def begin(self, ground, choice):
        ground.postgres.kill()

    def end(self, ground, choice):
        if not ground.postgres.child.running() or not ground.postgres.answers():
            ground.postgres.start()


class Away(Kill):
    name, seconds = "postgres.away", (120.0, 120.0)

    def begin(self, ground, choice):
        ground.postgres.stop()


class Slow(Fault):
    """Each commit of a transaction that wrote takes half a second, by triggers that fire at the commit."""
    name, group, seconds = "postgres.slow", "postgres", (10.0, 25.0)

    def begin(self, ground, choice):
        make = "".join(f"create constraint trigger faults_slow after insert or update on {table} deferrable initially deferred "
                       "for each row execute function faults.slow_commit();\n" for table in WRITTEN)
        persistently(ground, SLOW % COMMIT_SLEEP + make)

    def end(self, ground, choice):
        persistently(ground, "set lock_timeout = '5s';" + "".join(f"drop trigger if exists faults_slow on {table};\n" for table in WRITTEN))


class DiskFull(Fault):
    """Its file system has no octet left. It may go down for that; then it is started again, as systemd would."""
    name, group, seconds, needs = "postgres.disk-full", "postgres", (5.0, 20.0), ("disk",)

    def begin(self, ground, choice):
        if not ground.disks["pg/disk"].fill():
            raise WorldError("the disk could not be filled")

    def end(self, ground, choice):
        ground.disks["pg/disk"].empty()
        ground.postgres.start()


class Connections(Fault):
    """The roles have no connection left; those that are open are closed."""
    name, group, seconds = "postgres.connections", "postgres", (5.0, 20.0)

    def begin(self, ground, choice):
        self._limit(ground, 0)
        ground.postgres.psql(f"select pg_terminate_backend(pid) from pg_stat_activity where {OURS};")

    def end(self, ground, choice):
        self._limit(ground, -1)

    @staticmethod
    def _limit(ground, count):
        persistently(ground, f"alter role pm_api connection limit {count}; alter role pm_worker connection limit {count};")


class Terminations(Fault):
    """Random connections are closed in the middle of what they do, several a second."""
    name, group, seconds = "postgres.terminate", "postgres", (5.0, 15.0)

    def begin(self, ground, choice):
        self.over = threading.Event()
        chance = random.Random(choice.number)

        def work():
            while not self.over.wait(chance.uniform(0.1, 0.6)):
                with contextlib.suppress(WorldError):
                    ground.postgres.psql(f"select pg_terminate_backend(pid) from (select pid from pg_stat_activity where {OURS} "
                                         "order by random() limit 2) as some;", timeout=10)
        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def end(self, ground, choice):
        self.over.set()
        self.thread.join(15)


class Locks(Fault):
    """A session takes the rows that ledger and pump need, in the order that makes deadlocks; ours is never the victim, so theirs is."""
    name, group, seconds = "postgres.locks", "postgres", (6.0, 15.0)

    def begin(self, ground, choice):
        rounds = int(choice.seconds // 2.5) + 1
        one = ("begin; set local deadlock_timeout = '60s'; set local lock_timeout = '20s';\n"
               "select pool from analytics.ledger_positions for update;\n"
               "select id from queue.batches where state = 'accepted' order by random() limit 20 for update skip locked;\n"
               "select pg_sleep(1.5);\nselect last from analytics.event_clock for update;\nselect pg_sleep(0.5);\ncommit;\nselect pg_sleep(0.5);\n")
        self.session = ground.postgres.session(one * rounds, ground.home / "locks.log")
        return f"{rounds} times"

    def end(self, ground, choice):
        if self.session.poll() is None:
            self.session.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.session.wait(20)


class Migration(Fault):
    """Beside the running fleet a migration fails in the middle, another is killed, and the next one completes what they began."""
    name, group, seconds = "postgres.migration", "postgres", (0.5, 2.0)

    def begin(self, ground, choice):
        database = f"migrated_{time.time_ns()}"
        config = ground.home / "migrate.toml"
        config.write_text(ground.nodes[0].config.read_text().replace("dbname=postgres", f"dbname={database}"))
        ground.postgres.psql(f"create database {database};")
        try:
            ground.postgres.psql("create schema queue; create table queue.batches (odd int);", database)
            if ground.migrate(config)[0] == 0:
                ground.problem("penguin-mta migrate took a database in which a table was in its way")
            ground.postgres.psql("drop schema queue cascade;", database)
            killed = subprocess.Popen([ground.bin / "penguin-mta", "migrate", "--config", config], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                killed.wait(0.02 + choice.number % 300 / 1000)
            killed.kill()
            killed.wait(10)
            status, said = ground.migrate(config)
            if status:
                ground.problem(f"penguin-mta migrate does not go on after a failed one: {said[-300:]}")
            status, said = ground.migrate(ground.nodes[0].config)    # of the database in use: nothing to do
            if status:
                ground.problem(f"penguin-mta migrate fails while the fleet runs: {said[-300:]}")
        finally:
            ground.postgres.psql(f"drop database {database} with (force);")


def persistently(ground, sql, seconds=60):
    """Until PostgreSQL takes it: locks pass, and a server that is recovering comes back."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ground.postgres.psql(sql)
        except WorldError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


FAULTS = (Kill, Away, Slow, DiskFull, Connections, Terminations, Locks, Migration)
