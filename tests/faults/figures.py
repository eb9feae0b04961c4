"""What a run comes to: the figures for --json, and whether it passed. No I/O.

    in      a Verdict (books.py), what was left behind, what went wrong on the way, how many faults, the seed
    out     {accepted, delivered, bounced, cancelled, queued, lost, duplicated, duplicated_explained, wrongly_bounced, stuck, faults,
            seed, ...}; failures: one line for each thing that must not be
"""

FIRST = ("accepted", "delivered", "bounced", "cancelled", "queued", "lost", "duplicated", "duplicated_explained", "wrongly_bounced",
         "stuck")
MUST_BE_ZERO = ("lost", "stuck", "wrongly_bounced", "miscounted", "stranger", "misdelivered", "ended_twice")


def figures(verdict, faults, seed, leaked, problems, **more):
    """`leaked`: {what: how much}; `problems`: lines, anything else that must not happen."""
    counts = verdict.counts
    out = {name: counts[name] for name in FIRST}
    out.update(faults=faults, seed=seed, leaked=leaked)
    out.update({name: value for name, value in counts.items() if name not in out})
    out["problems"] = list(problems)
    out["examples"] = verdict.examples
    out.update(more)
    out["failures"] = failures(out)
    return out


def failures(out):
    bad = [f"{name} {out[name]}" for name in MUST_BE_ZERO if out.get(name)]
    unexplained = out["duplicated"] - out["duplicated_explained"]
    if unexplained:
        bad.append(f"repeated without explanation {unexplained}")
    bad += [f"leaked {what}: {much}" for what, much in out["leaked"].items()]
    bad += out["problems"]
    if not out["accepted"]:
        bad.append("nothing was accepted")
    return bad
