"""What happens when, from a seed alone. No I/O and no clock: the same seed, faults and nodes give the same plan, for ever.

    in      seed; {fault name: Kind}; number of nodes; the longest that one fault may last
    out     an endless sequence of steps: wait `gap` seconds, begin the choices (one, sometimes two), heal them when their
            time is over
    order   faults are dealt from a shuffled deck, so each comes once before any comes again
"""
import dataclasses
import random

GAP = (2.0, 12.0)      # seconds between two steps
TOGETHER = 0.25        # share of the steps that are two faults at once
NUMBERS = 1 << 30


@dataclasses.dataclass(frozen=True)
class Kind:
    group: str          # two faults of one group never happen together
    shortest: float     # seconds
    longest: float


@dataclasses.dataclass(frozen=True)
class Choice:
    name: str
    node: int           # 1 ...; faults that are of no node ignore it
    seconds: float
    number: int         # whatever else the fault decides, it decides by this number


@dataclasses.dataclass(frozen=True)
class Step:
    gap: float
    choices: tuple


def steps(seed, kinds, nodes, longest=None):
    chance = random.Random(seed)
    deck = []

    def deal(without=None):
        """The next fault that is not of the group `without`; None when the deck has no other."""
        if not deck:
            deck.extend(sorted(kinds))
            chance.shuffle(deck)
        for place, name in enumerate(deck):
            if kinds[name].group != without:
                return deck.pop(place)
        return None

    def choose(name):
        kind = kinds[name]
        node, share, number = chance.randint(1, nodes), chance.random(), chance.randrange(NUMBERS)
        seconds = kind.shortest + share * (kind.longest - kind.shortest)
        return Choice(name, node, round(min(seconds, longest or seconds), 1), number)

    while True:
        gap = round(chance.uniform(*GAP), 1)
        first = choose(deal())
        choices = [first]
        if chance.random() < TOGETHER:
            second = deal(without=kinds[first.name].group)
            if second:
                choices.append(choose(second))
        yield Step(gap, tuple(choices))
