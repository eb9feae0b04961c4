#!/usr/bin/python3
"""./dev up: the daemon alone, for use, with its own Redis and PostgreSQL, in the foreground until Ctrl-C.

    state   build/up: queue, database and keys outlive the run; the configuration is written anew
    out     the URL of the API and the administrator's key; then the log
"""
import argparse
import pathlib
import signal
import sys

from daemon import Daemon, home_of
from processes import WorldError, free_port, listening

USUAL_PORT = 8025


def main():
    parser = argparse.ArgumentParser(prog="./dev up", description="The daemon alone, for use, until Ctrl-C.")
    parser.add_argument("--port", type=int, default=USUAL_PORT, help=f"of the API on 127.0.0.1 (default {USUAL_PORT}, or the next free one)")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    daemon = Daemon(args.bin / "penguin-mta", home_of(args.work), free_port() if listening("127.0.0.1", args.port) else args.port)
    daemon.settings = {"node": {"name": "up", "state_dir": str(daemon.state)},
                       "http": {"listen": [f"127.0.0.1:{daemon.port}"]}}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        return run(daemon)
    except WorldError as error:
        print(f"up: {error}", file=sys.stderr)
        return 1


def run(daemon):
    with daemon:
        print(f"API    {daemon.url}/v1   (description: {daemon.url}/v1/openapi.yaml)\nadmin  {daemon.admin().token}\n"
              f"state  {daemon.folder}\nlog    {daemon.log}\nstop   Ctrl-C", flush=True)
        try:
            return daemon.child.process.wait()
        except KeyboardInterrupt:
            print()
            return daemon.stop()


if __name__ == "__main__":
    sys.exit(main())
