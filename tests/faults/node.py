"""One node of the fleet: a Daemon (tests/demo) on the shared stores, that is killed, stopped and brought back.

    out     its process, its log (through a pipe whose reader can be stopped), what it is meant to be (`wanted`)
    errors  WorldError
"""
import fcntl
import os
import signal
import subprocess
import threading

from daemon import Daemon
from machine import descriptors
from processes import Child, WorldError

PIPE_OCTETS = 4096
F_SETPIPE_SZ = 1031
SOURCES_A_NODE = 2
SMALL_TIMEOUTS = {"connect": "5s", "tls": "5s", "greeting": "10s", "ehlo": "10s", "mail": "10s", "rcpt": "10s", "data": "10s",
                  "body_block": "10s", "final_dot": "15s", "reset": "3s", "quit": "1s"}
RETRIES = ["1s", "2s", "4s", "8s", "15s"]


def node_name(number):
    return f"node-{number}"


def sources_of(number):
    """[(address, EHLO name)]"""
    return [(f"127.0.2{number}.{place}", f"n{number}-{place}.mx.test") for place in range(1, SOURCES_A_NODE + 1)]


class PipedChild(Child):
    """Its output goes through a small pipe and a reader, which may stop reading."""
    reader = None

    def start(self):
        read, write = os.pipe()
        fcntl.fcntl(write, F_SETPIPE_SZ, PIPE_OCTETS)
        with open(self.log, "ab") as log:
            self.reader = subprocess.Popen(["cat"], stdin=read, stdout=log, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(read)
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=write, stderr=write,
                                        env={**os.environ, **(self.env or {})}, start_new_session=True)
        os.close(write)
        return self


class Node(Daemon):
    def __init__(self, program, folder, number, api_port, wanted):
        """`wanted`: settings by section, over those of every node of a campaign."""
        settings = {"node": {"name": node_name(number), "stop_grace": "10s"}, "smtp__timeouts": SMALL_TIMEOUTS,
                    "delivery": {"retry_ladder": RETRIES, "life": "4h", "shards": 1, "workers": 1}}
        for section, keys in wanted.items():
            settings[section] = {**settings.get(section, {}), **keys} if isinstance(keys, dict) else keys
        super().__init__(program, folder, api_port, **settings)
        self.number, self.name = number, node_name(number)
        self.wanted = "down"          # or "up"
        self.lock = threading.RLock()  # of everything that starts or ends the process
        self.env = {}                 # of the next starts
        self.idle_descriptors = None

    def make_child(self, command, env):
        return PipedChild(self.name, command, self.log, env)

    def start(self, crash_at=None, ready=False, env=None):
        with self.lock:
            self.wanted = "up"
            return super().start(crash_at, ready, {**self.env, **(env or {})})

    def kill(self):
        with self.lock:
            self.wanted = "down"
            if self.running():
                self.child.kill(signal.SIGKILL)
                self.child.wait(20)

    def stop(self, seconds=60):
        """SIGTERM; the exit status, None when it had to be killed."""
        with self.lock:
            self.wanted = "down"
            if not self.running():
                return 0
            self.freeze(False)
            try:
                return self.child.stop(seconds)
            except WorldError:
                return None

    def freeze(self, stopped=True):
        self.child.kill(signal.SIGSTOP if stopped else signal.SIGCONT)

    def block_log(self, blocked=True):
        self.child.reader.send_signal(signal.SIGSTOP if blocked else signal.SIGCONT)

    def descriptors(self):
        return descriptors(self.child.pid)

    def __exit__(self, *_):
        with self.lock:
            self.wanted = "down"
            if self.child and self.running():
                self.freeze(False)
                self.child.reader.send_signal(signal.SIGCONT)
                self.child.stop_quietly(30)
