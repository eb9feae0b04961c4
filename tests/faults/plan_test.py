#!/usr/bin/python3
"""A failing run can be replayed: its seed gives the same plan."""
import itertools
import unittest

from plan import Kind, steps

KINDS = {f"{group}.{number}": Kind(group, 1.0, 30.0) for group in ("node", "redis", "network") for number in range(4)}

KEPT_GAP, KEPT_NAME = 3.3, "network.2"


def first(count, seed, **options):
    return list(itertools.islice(steps(seed, KINDS, 3, **options), count))


class Plan(unittest.TestCase):
    def test_the_same_seed_gives_the_same_plan(self):
        self.assertEqual(first(200, seed=7), first(200, seed=7))
        self.assertNotEqual(first(200, seed=7), first(200, seed=8))

    def test_it_is_the_same_today_and_tomorrow(self):
        step = first(1, seed=1)[0]
        self.assertEqual((KEPT_GAP, KEPT_NAME), (step.gap, step.choices[0].name), "a change here breaks the replay of recorded seeds")

    def test_each_fault_comes_before_any_comes_again(self):
        names = [choice.name for step in first(60, seed=3) for choice in step.choices]
        self.assertEqual(set(KINDS), set(names[:len(KINDS)]))

    def test_two_at_once_are_of_two_groups(self):
        pairs = [step.choices for step in first(400, seed=5) if len(step.choices) == 2]
        self.assertTrue(pairs)
        for one, other in pairs:
            self.assertNotEqual(KINDS[one.name].group, KINDS[other.name].group)

    def test_values_are_in_range(self):
        for step in first(200, seed=9, longest=12.0):
            for choice in step.choices:
                self.assertIn(choice.node, (1, 2, 3))
                self.assertLessEqual(1.0, choice.seconds)
                self.assertLessEqual(choice.seconds, 12.0)

    def test_one_fault_alone(self):
        only = list(itertools.islice(steps(1, {"node.kill": Kind("node", 1, 2)}, 1), 20))
        self.assertEqual({"node.kill"}, {choice.name for step in only for choice in step.choices})


if __name__ == "__main__":
    unittest.main()
