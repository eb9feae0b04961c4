#!/usr/bin/python3
"""control/SECURITY.md names a test for each of its lines, and each of those tests is there.

    in      the tables whose last column is "tests": words of the form folder/file:Suite.Name or folder/file:Suite.Name/Row,
            the file below tests/
    out     one line for each word that is no such test, and for each line of a table without one
"""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "control" / "SECURITY.md"
WORD = re.compile(r"([\w/]+\.(?:cpp|py)):(\w+)\.(\w+)(?:/(\w+))?")


def threats(text):
    """[(line number, tests column)] of every row in a table whose last column is "tests"."""
    rows, inside = [], False
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[-1] == "tests":
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append((number, cells[-1]))
    return rows


def holds(source, language, suite, name, row):
    if language == "py":
        body = re.search(rf"^class {suite}\(.*?(?=^\S|\Z)", source, re.M | re.S)
        return body is not None and re.search(rf"^    def {name}\(", body.group(), re.M) is not None
    found = re.search(rf"\bTEST(_F|_P)?\(\s*{suite},\s*{name}\)", source)
    return found is not None and (row is None or f'"{row}"' in source)


def problem_of(word, tests):
    match = WORD.fullmatch(word)
    if not match:
        return "is not of the form file:Suite.Name"
    file, suite, name, row = match.groups()
    if not (tests / file).is_file():
        return f"there is no file tests/{file}"
    source = (tests / file).read_text()
    return None if holds(source, file.rsplit(".", 1)[1], suite, name, row) else "there is no such test in that file"


def problems(text, tests):
    for number, column in threats(text):
        words = column.split()
        if not words:
            yield f"line {number} has no test"
        for word in words:
            why = problem_of(word, tests)
            if why:
                yield f"line {number}: {word}: {why}"


class SecurityPage(unittest.TestCase):
    def test_each_line_has_its_tests(self):
        self.assertEqual("", "\n".join(problems(PAGE.read_text(), ROOT / "tests")))

    def test_the_lines_are_found(self):
        self.assertGreater(len(threats(PAGE.read_text())), 40)


class Fuzzers(unittest.TestCase):
    def test_every_one_is_built(self):
        folder = ROOT / "tests" / "fuzz"
        built = re.findall(r"penguin_fuzzer\((\w+) SOURCE (\w+)\.cpp", (folder / "CMakeLists.txt").read_text())
        self.assertEqual({source.stem for source in folder.glob("*.cpp")}, {source for _, source in built})
        for name, _ in built:
            self.assertTrue(any((folder / "corpus" / name).iterdir()), f"{name} has no seeds")


class Checker(unittest.TestCase):
    HEAD = "| threat | what holds it | tests |\n| --- | --- | --- |\n"

    def problems_of(self, column):
        return list(problems(f"{self.HEAD}| a | b | {column} |\n", ROOT / "tests"))

    def test_takes_tests_that_are_there(self):
        self.assertEqual([], self.problems_of("architecture/security_test.py:Checker.test_takes_tests_that_are_there "
                                              "control/auth/jwt_test.cpp:JwtClaims.AreJudged/WrongAudience"))

    def test_sees_what_is_not_there(self):
        for column, words in [("", "has no test"), ("soon", "is not of the form"), ("no/file.cpp:A.B", "there is no file"),
                              ("control/auth/jwt_test.cpp:Jwt.NotThere", "no such test"),
                              ("control/auth/jwt_test.cpp:JwtClaims.AreJudged/NotThere", "no such test"),
                              ("architecture/security_test.py:SecurityPage.test_sees_what_is_not_there", "no such test")]:
            with self.subTest(column):
                found = self.problems_of(column)
                self.assertEqual(1, len(found), found)
                self.assertIn(words, found[0])


if __name__ == "__main__":
    unittest.main()
