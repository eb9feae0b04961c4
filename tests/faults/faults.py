#!/usr/bin/python3
"""./dev faults: breaks everything that a fleet stands on while mail flows, then holds four books against each other.

    in      --hours, --seed, --rate, --nodes, --faults or --scenario; where the programs are
    out     the seed, a line a fault, the figures; with --json {accepted, delivered, bounced, cancelled, queued, lost, duplicated,
            duplicated_explained, wrongly_bounced, stuck, faults, seed, ...}
    exit    0 only when nothing was lost, stuck, wrongly bounced, left behind, or repeated without a lost 250; 2 when the world
            itself did not come up
"""
import argparse
import pathlib
import random
import signal
import sys

import machine
import places  # noqa: F401: first, so that the helpers of the other tests are found


def arguments(scenarios, names):
    parser = argparse.ArgumentParser(prog="./dev faults", description="Nothing lost, nothing twice, whatever dies.")
    parser.add_argument("--hours", type=float, default=0.1, metavar="H", help="of load and faults; a fraction will do (default 0.1)")
    parser.add_argument("--seed", type=int, metavar="S", help="decides everything that is left to chance (default: by chance, and printed)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--faults", metavar="NAME,NAME", help="only these, or those that begin so (redis.)")
    parser.add_argument("--rate", type=float, metavar="N", help="messages a second (default 50, or what the scenario wants)")
    parser.add_argument("--nodes", type=int, choices=(1, 2, 3), help="how many nodes (default 2, or what the scenario wants)")
    parser.add_argument("--scenario", choices=sorted(scenarios), help="one story instead of the campaign; see tests/faults/README.md")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="of a scenario that can be repeated (default 1)")
    parser.add_argument("--seconds", type=float, metavar="N", help="that the scenario's fault lasts")
    parser.add_argument("--queued", type=int, metavar="N", help="messages that are queued before the scenario begins")
    parser.add_argument("--points", default="", metavar="WORD", help="only crash points whose name contains it")
    parser.add_argument("--settle-max", type=float, default=1800, metavar="SECONDS", help="the longest to wait for the end (default 1800)")
    parser.add_argument("--list", action="store_true", help="say which faults and scenarios there are")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, required=True, metavar="FOLDER", help="files of the run; runs side by side want one each")
    args = parser.parse_args()
    if not 0.001 <= args.hours <= 100:
        parser.error("--hours must be 0.001 to 100")
    if args.rate is not None and not 0.1 <= args.rate <= 5000:
        parser.error("--rate must be 0.1 to 5000")
    args.names = None
    if args.faults:
        wanted = args.faults.split(",")
        args.names = [name for name in names if any(name == one or (one.endswith(".") and name.startswith(one)) for one in wanted)]
        unknown = [one for one in wanted if not any(name == one or (one.endswith(".") and name.startswith(one)) for name in names)]
        if unknown:
            parser.error(f"no such fault: {' '.join(unknown)}; see --list")
    return args


def main():
    import catalogue
    import scenarios
    args = arguments(scenarios.ALL, catalogue.ALL)
    if args.list:
        print("\n".join([*catalogue.describe(), "", *scenarios.describe()]))
        return 0
    if args.seed is None:   # before the program starts itself again
        args.seed = random.SystemRandom().randrange(1 << 31)
        sys.argv += ["--seed", str(args.seed)]
    machine.enter_namespace()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))   # what was started is stopped on the way out
    from processes import WorldError
    from run import Options
    from storm import storm
    options = Options(bin=args.bin, work=args.work, seed=args.seed, rate=args.rate or 50.0, nodes=args.nodes or 2,
                      seconds=args.hours * 3600, json=args.json, names=args.names, settle_max=args.settle_max)
    try:
        out = scenarios.ALL[args.scenario].run(args, options) if args.scenario else storm(options)
    except WorldError as error:
        print(f"faults: the world did not come up, or fell down: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("faults: stopped", file=sys.stderr)
        return 2
    return 1 if out["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
