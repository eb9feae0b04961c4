"""The daemon under test: its configuration, its process, its state directory, which outlives the process.

    in      where the programs are, a folder, settings by section; sensible ones for loopback are there already
    out     a running `penguin-mta serve`, with its own Redis and PostgreSQL unless the settings name others; its API; its admin
            key
    errors  WorldError
"""
import contextlib
import json
import os
import pathlib
import signal
import zlib

from api import Api
from processes import Child, WorldError, free_port, wait_until

READY_WITHIN = 90   # seconds; the first start makes a database cluster
STOP_WITHIN = 60    # seconds
NODE = "node-1"
POOL = "default"


def toml(sections):
    """{"smtp": {"port": 25}, "smtp.timeouts": {...}} as TOML. JSON's strings, numbers, booleans and lists are TOML's too."""
    return "\n".join(f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
                     for name, keys in sections.items())


def settings(state, api_port, smtp_port=25, name_server=None, **changes):
    """A test configuration; `changes`: section={key: value}, a dot in a section's name written as __."""
    sections = {
        "node": {"name": NODE, "state_dir": str(state), "environment": "test", "stop_drain": "0s"},
        "log": {"level": "info", "format": "text"},
        "http": {"listen": [f"127.0.0.1:{api_port}"]},
        "smtp": {"port": smtp_port, "allow_targets": ["127.0.0.0/8"]},
        "delivery": {},
        "domains": {"bounce_mx": "bounces.mx.test"},
    }
    if name_server:
        sections["dns"] = {"servers": [name_server]}
    for name, keys in changes.items():
        sections.setdefault(name.replace("__", "."), {}).update(keys)
    return sections


class Daemon:
    def __init__(self, program, folder, api_port=None, **wanted):
        self.program, self.folder = pathlib.Path(program), pathlib.Path(folder)
        self.state = self.folder / "state"
        self.port = api_port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings(self.state, self.port, **wanted)
        self.config, self.log = self.folder / "penguin-mta.toml", self.folder / "daemon.log"
        self.child = None

    def start(self, crash_at=None, ready=True, env=None):
        """`crash_at`: the crash point where it kills itself. Then it may die before it is ready: returns False."""
        self.write_configuration()
        env = {**(env or {}), **({"PENGUIN_CRASH_AT": crash_at} if crash_at else {})}
        self.child = self.make_child([self.program, "serve", "--config", self.config], env).start()
        if not ready:
            return True
        try:
            self.child.wait_ready(self.is_ready, READY_WITHIN, "ready")
        except WorldError:
            if crash_at and self.killed():
                return False
            raise
        return True

    def write_configuration(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(toml(self.settings))

    def make_child(self, command, env):
        return Child("penguin-mta", command, self.log, env)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.child:
            self.child.stop_quietly(STOP_WITHIN)

    def is_ready(self):
        """It takes mail, and sends it."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            status, health = Api(self.url).once("GET", "/readyz")
            return status == 200 and set(health["checks"].values()) == {"ok"}
        return False

    def running(self):
        return self.child is not None and self.child.running()

    def killed(self):
        return not self.child.running() and self.child.process.returncode == -signal.SIGKILL

    def kill(self):
        """As when the machine's memory runs out: SIGKILL, nothing can be tidied up."""
        self.child.kill(signal.SIGKILL)
        self.child.wait(10)

    def stop(self):
        """SIGTERM, and the exit status."""
        return self.child.stop(STOP_WITHIN)

    def admin(self):
        """The API with the key that the daemon made for its administrator at its first start."""
        wait_until(lambda: (self.state / "admin-key").exists(), 10, "the admin key is there")
        return Api(self.url, (self.state / "admin-key").read_text().strip())

    def connections(self):
        """SMTP connections that are open now."""
        port = f":{self.settings['smtp']['port']:04X}"
        lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        return sum(1 for line in lines if line.split()[2].endswith(port) and line.split()[3] == "01")


def home_of(wanted):
    """The folder where a world lives: `wanted`, or one in /var/tmp that `wanted` then points to, when another user (the
    service user, Postfix) could not get into `wanted`, or when sockets in it had names too long for the kernel."""
    wanted = pathlib.Path(wanted).resolve()
    wanted.mkdir(parents=True, exist_ok=True)
    open_to_all = all(folder.stat().st_mode & 0o001 for folder in [wanted, *wanted.parents])
    if open_to_all and len(str(wanted)) < 70:
        return wanted
    elsewhere = pathlib.Path("/var/tmp") / f"penguin-mta-{os.getuid()}-{wanted.name}-{zlib.crc32(str(wanted).encode()):08x}"
    elsewhere.mkdir(mode=0o755, exist_ok=True)
    link = wanted / "elsewhere"
    link.unlink(missing_ok=True)
    link.symlink_to(elsewhere)
    return elsewhere
