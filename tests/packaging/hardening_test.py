"""The built program is hardened as control/SECURITY.md says, and the check sees each thing that would be missing.

    hardening_test.py PROGRAM ON|OFF COMPILER      whether the build is optimised, so that _FORTIFY_SOURCE works
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "packaging"))

import hardening  # noqa: E402

PROGRAM, FORTIFIED, COMPILER = sys.argv[1], sys.argv[2] == "ON", sys.argv[3]
del sys.argv[1:4]

SOURCE = """
#include <stdio.h>
#include <string.h>
int main(int count, char **words)
{
    char text[64];
    strcpy(text, words[count - 1]);
    puts(text);
    return 0;
}
"""
FLAGS = ["-O2", "-fPIE", "-pie", "-fstack-protector-strong", "-fcf-protection=full", "-D_FORTIFY_SOURCE=2", "-fuse-ld=lld-19",
         "-Wl,-z,relro,-z,now,-z,noexecstack"]
WEAKNESSES = {
    "-no-pie": "not position independent",
    "-Wl,-z,norelro": "read-only after relocation",
    "-Wl,-z,lazy": "binds functions lazily",
    "-Wl,-z,execstack": "stack can be executed",
    "-fno-stack-protector": "no stack protector",
    "-U_FORTIFY_SOURCE": "_FORTIFY_SOURCE is off",
    "-fcf-protection=none": "-fcf-protection is off",
}


class BuiltProgram(unittest.TestCase):
    def test_is_hardened(self):
        self.assertEqual(list(hardening.problems(PROGRAM, FORTIFIED)), [])


class Check(unittest.TestCase):
    """A small program, built once for each flag that could get lost."""

    def problems_with(self, *flags):
        with tempfile.TemporaryDirectory() as folder:
            source, program = pathlib.Path(folder) / "small.c", pathlib.Path(folder) / "small"
            source.write_text(SOURCE)
            subprocess.run([COMPILER, "-x", "c", str(source), *FLAGS, *flags, "-o", str(program)], check=True)
            return list(hardening.problems(program))

    def test_takes_a_program_that_has_all(self):
        self.assertEqual(self.problems_with(), [])

    def test_names_each_weakness(self):
        for flag, words in WEAKNESSES.items():
            with self.subTest(flag):
                problems = self.problems_with(flag)
                self.assertEqual(len(problems), 1, problems)
                self.assertIn(words, problems[0])


if __name__ == "__main__":
    unittest.main()
