"""The fleet's PostgreSQL on a unix socket, which the campaign kills, slows and fills.

    out     DSNs of the three roles; SQL by psql; whole tables as a stream of rows
    needs   not to be root: PostgreSQL refuses that, so as root it runs as the user postgres
    errors  WorldError
"""
import os
import pathlib
import shutil
import signal
import subprocess

from processes import Child, WorldError, wait_until

OWNER = "penguin_owner"
READY_WITHIN = 120   # seconds: it may recover first
SETTINGS = {"listen_addresses": "", "unix_socket_permissions": "0777", "max_connections": "80", "shared_buffers": "128MB",
            "max_wal_size": "512MB", "wal_compression": "on", "jit": "off", "log_checkpoints": "off", "log_timezone": "UTC",
            "timezone": "UTC", "restart_after_crash": "on"}


def binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise WorldError("no PostgreSQL server is installed (package postgresql-15)")
    return found[-1]


def as_postgres(command):
    words = [str(word) for word in command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", *words] if os.geteuid() == 0 else words


class PostgresStore:
    def __init__(self, folder, disk):
        """`disk`: the folder (perhaps a small file system of its own) that holds the data."""
        self.folder, self.disk = pathlib.Path(folder), pathlib.Path(disk)
        self.child = None

    def __enter__(self):
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            shutil.chown(self.disk, "postgres", "postgres")
        command = [binaries() / "initdb", "-D", self.disk / "data", "-U", OWNER, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync"]
        made = subprocess.run(as_postgres(command), capture_output=True, text=True, cwd="/", timeout=120)
        if made.returncode:
            raise WorldError(f"initdb: {made.stderr[-500:]}")
        self.start()
        return self

    def __exit__(self, *_):
        if self.child and self.child.running():
            self.child.kill(signal.SIGINT)   # fast shutdown: SIGTERM would wait for its clients
            self.child.wait(60)

    def start(self):
        command = [binaries() / "postgres", "-D", self.disk / "data", "-k", self.folder]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        # What a killed server leaves keeps the next one out for a moment, until its children have noticed.
        def started():
            if self.child is None or not self.child.running():
                self.child = Child("postgres", as_postgres(command), self.folder / "postgres.log").start()
            return self.answers()
        wait_until(started, READY_WITHIN, "PostgreSQL answers", step=0.3)

    def stop(self):
        self.child.kill(signal.SIGINT)
        self.child.wait(60)

    def kill(self):
        """SIGKILL to the server and to each of its processes, as when the machine goes."""
        children = pathlib.Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        self.child.kill()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.child.wait(10)

    def dsn(self, role, database="postgres"):
        return f"host={self.folder} port=5432 dbname={database} user={role}"

    def answers(self):
        ready = subprocess.run([binaries() / "pg_isready", "-q", "-h", self.folder, "-p", "5432"], timeout=20)
        return ready.returncode == 0

    def psql(self, sql, database="postgres", timeout=60):
        """What the statements print, one line a row, columns parted by tabs."""
        try:
            run = subprocess.run(self._psql(database), input=sql, capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise WorldError(f"psql: no answer within {timeout} s") from None
        if run.returncode:
            raise WorldError(f"psql: {run.stderr.strip()[-500:]}")
        return run.stdout

    def session(self, sql, log):
        """The statements in a psql of their own, which may take its time."""
        with open(log, "ab") as out:
            child = subprocess.Popen(self._psql("postgres"), stdin=subprocess.PIPE, stdout=out, stderr=out, text=True)
        child.stdin.write(sql)
        child.stdin.close()
        return child

    def rows(self, query):
        """The rows of a query, streamed: lists of strings."""
        copy = subprocess.Popen([*self._psql("postgres"), "-c", f"copy ({query}) to stdout"], stdout=subprocess.PIPE, text=True)
        with copy:
            for line in copy.stdout:
                yield line.rstrip("\n").split("\t")
        if copy.returncode:
            raise WorldError(f"psql ended with {copy.returncode} in: {query}")

    def _psql(self, database):
        return ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-U", OWNER, "-d", database]
