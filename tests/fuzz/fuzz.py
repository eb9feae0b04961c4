#!/usr/bin/python3
"""./dev fuzz: runs the fuzz targets, keeps what they learned, and says what they found.

    in      seconds a target (60 when not given), then names of targets (none: all)
    out     below --work: corpus/<target> (grows from run to run), findings/<target>, logs/<target>.log; a table, a last line
    status  0: no finding. 1: there are some. 2: bad arguments, or no program to run.
    limits  --jobs targets at a time; RSS_MAX, INPUT_SECONDS and LENGTH_MAX an input
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

import api_seeds
import libfuzzer_log

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OPENAPI = ROOT / "control" / "openapi.yaml"
SECONDS = 60           # a target, when nobody says
SECONDS_MAX = 7 * 86400
RSS_MAX = 2048         # MiB; a parser that wants more has no bound
INPUT_SECONDS = 10     # one input; the slowest that is known takes some milliseconds, with all sanitizers
LENGTH_MAX = 16384     # octets of an input; longer ones find no other paths and cost runs
LENGTHS = {"server_dialogue": 4096, "http_session": 4096, "journal": 4096}
QUIET = {"api_requests": ["-close_fd_mask=2"], "settings_file": ["-close_fd_mask=2"]}  # our log says each fault; libFuzzer still speaks
OVERTIME = 120         # seconds that a program may take beyond its own: to read its corpus, to find leaks at the end
STOP_WITHIN = 30       # seconds from Ctrl-C to the end of a program; the daemon of `api` has stores to stop
API = "api"            # the campaign against the daemon: api_fuzz.py


def libfuzzer_names():
    text = re.sub(r"#.*", "", (HERE / "CMakeLists.txt").read_text())
    return re.findall(r"penguin_fuzzer\((\w+)", text)


class LibFuzzer:
    def __init__(self, name):
        self.name, self.build_targets = name, [f"fuzz_{name}"]

    def command(self, args, findings, corpus):
        return [args.bin / f"fuzz_{self.name}", f"-seed={args.seed}", f"-max_total_time={args.seconds}",
                f"-rss_limit_mb={RSS_MAX}", f"-timeout={INPUT_SECONDS}", f"-report_slow_units={INPUT_SECONDS}",
                f"-max_len={LENGTHS.get(self.name, LENGTH_MAX)}", f"-artifact_prefix={findings}/", "-print_final_stats=1",
                *QUIET.get(self.name, ()), *self.words(args), corpus, *self.seeds(args)]

    def seeds(self, args):
        """Folders. Those of the API's requests are made of its description."""
        folders = [folder for folder in [HERE / "corpus" / self.name] if folder.is_dir()]
        if self.name == "api_requests":
            api_seeds.write(OPENAPI, args.work / "seeds" / self.name, args.seed, LENGTH_MAX)
            folders.append(args.work / "seeds" / self.name)
        return folders

    def words(self, args):
        if self.name not in ("api_requests", "api_body"):
            return []
        file = args.work / f"{self.name}.dict"
        file.write_text(api_seeds.dictionary(OPENAPI))
        return [f"-dict={file}"]

    def again(self, args, finding):
        return f"{shown(args.bin / f'fuzz_{self.name}')} {shown(finding.file)}"


class ApiCampaign:
    name, build_targets = API, ["penguin-mta"]

    def command(self, args, findings, corpus):
        return [sys.executable, HERE / "api_fuzz.py", "--bin", args.bin, "--work", args.work / API, "--corpus", corpus,
                "--findings", findings, "--seconds", str(args.seconds), "--seed", str(args.seed)]

    def again(self, args, finding):
        return f"python3 tests/fuzz/api_fuzz.py --bin {shown(args.bin)} --work {shown(args.work / API)} --again {shown(finding.file)}"


def shown(path):
    path = pathlib.Path(path).absolute()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def targets():
    return {API: ApiCampaign(), **{name: LibFuzzer(name) for name in libfuzzer_names()}}


class Result:
    def __init__(self, target):
        self.target, self.progress, self.elapsed, self.new_files = target, None, 0.0, 0

    @property
    def findings(self):
        return self.progress.findings if self.progress else []


class Runner:
    def __init__(self, args, chosen):
        self.args, self.chosen = args, chosen
        self.children, self.lock, self.stopping = set(), threading.Lock(), False

    def run(self):
        """Results in the order of `chosen`; those that a Ctrl-C came before are left out."""
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            waiting = [pool.submit(self.one, target) for target in self.chosen]
            while not all(one.done() for one in waiting):
                time.sleep(0.2)  # where the signal's handler gets its turn
        return [result for result in (one.result() for one in waiting) if result]

    def stop(self, *_):
        self.stopping = True
        for child in list(self.children):  # no lock: this runs in the main thread, between any two of its steps
            interrupt(child)

    def one(self, target):
        if self.stopping:
            return None
        work = self.args.work
        corpus, findings, log = work / "corpus" / target.name, work / "findings" / target.name, work / "logs" / f"{target.name}.log"
        for folder in (corpus, findings, log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        result, before, begun = Result(target), len(list(corpus.iterdir())), time.monotonic()
        print(f"{target.name}: begins", flush=True)
        with open(log, "wb") as out:
            child = subprocess.Popen([str(part) for part in target.command(self.args, findings, corpus)], stdin=subprocess.DEVNULL,
                                     stdout=out, stderr=out, cwd=ROOT, start_new_session=True, env=sanitized())
        status = self.wait(child)
        result.elapsed = time.monotonic() - begun
        result.progress = libfuzzer_log.read(log.read_text(errors="replace").splitlines(), 0 if self.stopping and status else status)
        result.new_files = len(list(corpus.iterdir())) - before
        print(f"{target.name}: {result.progress.runs} runs, {many(len(result.findings), 'finding')}", flush=True)
        for finding in result.findings:
            tell(self.args, target, finding, log)
        return result

    def wait(self, child):
        with self.lock:
            self.children.add(child)
        if self.stopping:
            interrupt(child)
        deadline = time.monotonic() + self.args.seconds + OVERTIME
        try:
            while True:
                try:
                    return child.wait(0.2)
                except subprocess.TimeoutExpired:
                    if self.stopping:
                        deadline = min(deadline, time.monotonic() + STOP_WITHIN)
                    if time.monotonic() > deadline:
                        os.killpg(child.pid, signal.SIGKILL)  # its own session: the program and what it started
                        return child.wait()
        finally:
            with self.lock:
                self.children.discard(child)


def interrupt(child):
    if child.poll() is None:
        child.send_signal(signal.SIGINT)  # then libFuzzer says its figures and ends


def sanitized():
    options = {"ASAN_OPTIONS": "detect_stack_use_after_return=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    return {**os.environ, **{name: os.environ.get(name, value) for name, value in options.items()},
            "ASAN_SYMBOLIZER_PATH": os.environ.get("ASAN_SYMBOLIZER_PATH", "/usr/bin/llvm-symbolizer-19")}


def tell(args, target, finding, log):
    print(f"FINDING {target.name}: {finding.kind}: {finding.why}\n  log    {shown(log)}", flush=True)
    if finding.file:
        print(f"  again  {target.again(args, finding)}", flush=True)


def many(count, what):
    return f"{count} {what}" + ("" if count == 1 else "s")


def table(results):
    lines = [f"{'target':<18}{'runs':>11}{'exec/s':>9}{'cov start':>11}{'cov end':>9}{'new files':>11}{'findings':>10}"]
    for result in results:
        progress = result.progress
        lines.append(f"{result.target.name:<18}{progress.runs:>11}{progress.runs / max(result.elapsed, 1):>9.0f}"
                     f"{progress.coverage_start:>11}{progress.coverage_end:>9}{result.new_files:>11}{len(result.findings):>10}")
    return "\n".join(lines)


def seconds(text):
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds from 1 to {SECONDS_MAX}")
    return int(text)


def seed(text):
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) < 2 ** 32:
        raise argparse.ArgumentTypeError(f"'{text}' is no seed from 1 to {2 ** 32 - 1}")
    return int(text)


def jobs(text):
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of targets at a time")
    return int(text)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"fuzz: {message}\n")


def arguments(given):
    parser = Parser(prog="./dev fuzz", description="Runs the fuzz targets, SECONDS each.",
                    epilog="targets: " + ", ".join(targets()))
    parser.add_argument("seconds", nargs="?", type=seconds, default=SECONDS, metavar="SECONDS", help=f"a target (default {SECONDS})")
    parser.add_argument("names", nargs="*", metavar="TARGET", help="only these")
    parser.add_argument("--seed", type=seed, default=random.randrange(1, 2 ** 32), help="of all targets (default: drawn, and printed)")
    parser.add_argument("--jobs", type=jobs, default=os.cpu_count(), help="targets at a time (default: one a core)")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/fuzz/bin", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/fuzz", help=argparse.SUPPRESS)
    parser.add_argument("--list-programs", action="store_true", help=argparse.SUPPRESS)  # what ./dev has to build
    args = parser.parse_intermixed_args(given)
    known = targets()
    if unknown := [name for name in args.names if name not in known]:
        parser.error(f"no target {', '.join(repr(name) for name in unknown)}; there are: {', '.join(known)}")
    return args, [known[name] for name in dict.fromkeys(args.names)] or list(known.values())


def main(given):
    args, chosen = arguments(given)
    programs = [program for target in chosen for program in target.build_targets]
    if args.list_programs:
        print("\n".join(programs))
        return 0
    if missing := [program for program in programs if not (args.bin / program).exists()]:
        print(f"fuzz: not built: {', '.join(missing)}: run ./dev fuzz, or ./dev build fuzz", file=sys.stderr)
        return 2
    args.bin, args.work = args.bin.absolute(), args.work.absolute()
    print(f"seed {args.seed}, {args.seconds} s each, {many(len(chosen), 'target')}, {args.jobs} at a time", flush=True)
    runner = Runner(args, chosen)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, runner.stop)
    results = runner.run()
    found = sum(len(result.findings) for result in results)
    print(f"\n{table(results)}")
    if runner.stopping:
        print("interrupted")
    print(f"{len(results)} targets, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
