"""What --keep and `up` leave running: remembered by pid and start time, so that no other process is ever hit."""
import json
import os
import pathlib
import signal
import subprocess
import time

STOP_WITHIN = 60  # seconds


def _started(pid):
    """The kernel's start time of a process; None when there is none. A pid that was used again has another."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def remember(work, pids, stop_command):
    file = pathlib.Path(work) / "kept.json"
    file.write_text(json.dumps({"processes": [[pid, _started(pid)] for pid in pids], "command": stop_command}))


def stop(work, quiet=False):
    """Exit status: 0 when nothing of it runs any more."""
    file = pathlib.Path(work) / "kept.json"
    if not file.exists():
        if not quiet:
            print("nothing was left running")
        return 0
    memory = json.loads(file.read_text())
    ours = [pid for pid, started in memory["processes"] if started and _started(pid) == started]
    for pid in ours:
        os.kill(pid, signal.SIGTERM)
    if memory["command"]:
        subprocess.run(memory["command"], capture_output=True, timeout=STOP_WITHIN)
    deadline = time.monotonic() + STOP_WITHIN
    while ours and time.monotonic() < deadline:
        ours = [pid for pid in ours if _is_alive(pid)]
        time.sleep(0.05)
    if ours:
        print(f"still running: {ours}")
        return 1
    file.unlink()
    if not quiet:
        print("stopped")
    return 0


def _is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
