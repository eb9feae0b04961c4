"""Where the other tests' helpers are: importing this makes those of tests/demo and tests/e2e importable."""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
ROOT = TESTS.parent

for _folder in ("demo", "e2e"):
    if str(TESTS / _folder) not in sys.path:
        sys.path.append(str(TESTS / _folder))
