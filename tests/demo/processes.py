"""Child processes of a test world: started, awaited, stopped by their own pid, never by name.

    out     Child: a running program whose output goes to a log file
    limits  every wait has a deadline in seconds
    errors  WorldError with one line for people and the tail of the log
"""
import contextlib
import os
import signal
import socket
import subprocess
import time


class WorldError(Exception):
    """Something that the world needs did not come up, or did not stop."""


def tail(path, lines=8):
    try:
        with open(path, errors="replace") as log:
            return "".join(log.readlines()[-lines:])
    except OSError:
        return ""


def wait_until(holds, seconds, what, step=0.05):
    """Calls `holds` until it gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise WorldError(f"not within {seconds} s: {what}")
        time.sleep(step)


def listening(address, port):
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


def free_port(addresses=("127.0.0.1",), above=0):
    """A TCP and UDP port that nobody has on any of these addresses. Below the ephemeral range, so no client takes it.
    `above`: the last one given, by who needs several before it binds any."""
    for port in range(max(20000 + os.getpid() * 53 % 11000, above + 1), 32000):
        try:
            for address in addresses:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind((address, port))
        except OSError:
            continue
        return port
    raise WorldError("no free port between 20000 and 32000")


def as_root(command):
    """The command as root runs it: itself, or through sudo that must not ask."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


class Child:
    """A program in the foreground. Its end is our doing, or a failure."""

    def __init__(self, name, command, log, env=None):
        self.name, self.command, self.log, self.env = name, [str(part) for part in command], str(log), env
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(self.env or {})}, start_new_session=True)
        return self

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, ready, seconds, what):
        def ready_or_dead():
            if not self.running():
                raise WorldError(f"{self.name} ended with {self.process.returncode} before {what}:\n{tail(self.log)}")
            return ready()
        try:
            return wait_until(ready_or_dead, seconds, f"{self.name}: {what}")
        except WorldError as error:
            if self.running():
                raise WorldError(f"{error}\n{tail(self.log)}") from None
            raise

    def wait(self, seconds):
        """Exit status; negative for a signal."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise WorldError(f"{self.name} (pid {self.pid}) did not end within {seconds} s:\n{tail(self.log)}") from None

    def kill(self, number=signal.SIGKILL):
        if self.running():
            self.process.send_signal(number)

    def stop(self, seconds=30):
        """SIGTERM, then the exit status; SIGKILL when it does not end in time, and that is an error."""
        if self.process is None:
            return None
        self.kill(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except WorldError:
            self.kill()
            self.process.wait(10)
            raise

    def stop_quietly(self, seconds=30):
        with contextlib.suppress(WorldError):
            self.stop(seconds)
