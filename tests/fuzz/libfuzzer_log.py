"""What a fuzzing program says of itself, read from its log. Pure.

    in      lines of libFuzzer; api_fuzz.py writes the same forms
    out     Progress: runs, coverage at start and end, and the findings that it wrote files of
"""
import dataclasses
import pathlib
import re

# "#128	NEW    cov: 410 ft: 1033 corp: 57/3120b lim: 4 exec/s: 0 rss: 44Mb ..."
_STATUS = re.compile(r"^#(\d+)\s+[A-Z]+\b.*?\bcov: (\d+)\b")
_RUNS = re.compile(r"^stat::number_of_executed_units:\s+(\d+)")
_DONE = re.compile(r"^Done (\d+) runs in (\d+) second")
_WRITTEN = re.compile(r"Test unit written to (\S+)")
_SUMMARY = re.compile(r"^SUMMARY: (.+)|^(\S+:\d+:\d+: runtime error: .+)|^(.*: Assertion `.*|\S+:\d+: does not hold)$")
KINDS = ("crash", "leak", "timeout", "oom", "slow-unit")


@dataclasses.dataclass(frozen=True)
class Finding:
    kind: str    # crash, leak, timeout, oom; "ended" when the program left no file
    why: str     # the sanitizer's or the assertion's own line
    file: str    # the input; "" when there is none


@dataclasses.dataclass
class Progress:
    runs: int = 0
    coverage_start: int = 0   # edges and counters that the corpora reached before anything was mutated
    coverage_end: int = 0
    findings: list = dataclasses.field(default_factory=list)


def kind_of(file):
    """crash-3f2a... -> crash"""
    name = pathlib.PurePath(file).name
    return next((kind for kind in KINDS if name.startswith(kind + "-")), "crash")


def read(lines, status=0):
    """`status`: how the program ended; one that failed without leaving a file is a finding too."""
    progress, why, started = Progress(), "", False
    for line in lines:
        if match := _STATUS.match(line):
            progress.runs = max(progress.runs, int(match[1]))
            progress.coverage_end = max(progress.coverage_end, int(match[2]))
            if "INITED" in line:
                progress.coverage_start, started = int(match[2]), True
        elif match := _RUNS.match(line) or _DONE.match(line):
            progress.runs = max(progress.runs, int(match[1]))
        elif match := _SUMMARY.match(line):
            # An assertion says more than the sanitizer's summary of the abort that it makes.
            why = why or next(group for group in match.groups() if group).strip()
        elif match := _WRITTEN.search(line):
            progress.findings.append(Finding(kind_of(match[1]), why, match[1]))
            why = ""
    progress.findings = [_explained(one, why) for one in progress.findings]
    if not started:
        progress.coverage_start = progress.coverage_end  # it failed on the corpora themselves
    if status != 0 and not progress.findings:
        progress.findings.append(Finding("ended", why or f"status {status}", ""))
    return progress


def _explained(finding, why):
    return finding if finding.why else dataclasses.replace(finding, why=why)
