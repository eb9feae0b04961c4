"""The campaign itself: faults from a plan, one after the other and two at once, under steady load."""
import time

import catalogue
import plan
from processes import WorldError
from resp import RedisSaid
from run import Run

WARM_UP = 5.0          # seconds of load before the first fault
LONGEST_SHARE = 0.1    # of a short run that one fault may take
TROUBLE = (WorldError, OSError, RedisSaid)


def storm(options):
    run = Run(options, "faults")
    kinds, missing = catalogue.kinds(run.abilities, options.names)
    if missing:
        run.say(f"left out on this machine: {' '.join(missing)}")
    longest = max(5.0, options.seconds * LONGEST_SHARE)
    run.extra = {"left_out": missing, "by_fault": {}}

    def act(run):
        run.load.start()
        end = time.monotonic() + options.seconds
        run.sleep(WARM_UP)
        for step in plan.steps(options.seed, kinds, options.nodes, longest):
            room = end - time.monotonic() - step.gap
            if room < max(choice.seconds for choice in step.choices) / 2:
                run.sleep(end - time.monotonic())
                return
            run.sleep(step.gap)
            inflict(run, step.choices)
    return run.execute(act)


def inflict(run, choices):
    """Begins the faults of a step, lets them last, heals each when its time is over."""
    began = time.monotonic()
    under_way = []
    for choice in choices:
        fault = catalogue.ALL[choice.name]()
        try:
            word = fault.begin(run.ground, choice)
            run.say(f"{choice.name} for {choice.seconds:g} s" + (f": {word}" if word else ""))
            run.faults += 1
            by_fault = run.extra.setdefault("by_fault", {})
            by_fault[choice.name] = by_fault.get(choice.name, 0) + 1
        except TROUBLE as error:   # the fault could not be made; that says nothing of the engine
            run.say(f"{choice.name} could not be made: {error}")
            run.ground.notes.append(f"{choice.name} could not be made: {error}")
        under_way.append((began + choice.seconds, choice, fault))
    for until, choice, fault in sorted(under_way, key=lambda entry: entry[0]):
        run.sleep(until - time.monotonic())
        fault.end(run.ground, choice)
    told = run.progress()
    run.say("  healed" + (f"; {told[1]} of {told[0]} messages have their end" if told else ""))
