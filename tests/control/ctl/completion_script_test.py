"""What a shell makes of the script that `penguinctl completion bash` prints.

    completion_script_test.py PENGUINCTL
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
SCRIPT = subprocess.run([PROGRAM, "completion", "bash"], check=True, capture_output=True, text=True).stdout
ASK = SCRIPT + """
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_penguinctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(*words, folder=None):
    """What is offered for the last of the words behind `penguinctl`."""
    run = subprocess.run(["bash", "--norc", "-u", "-c", ASK, "ask", "penguinctl", *words], capture_output=True, text=True, cwd=folder,
                         check=False)
    assert run.returncode == 0 and not run.stderr, run.stderr
    return set(filter(None, run.stdout.split("\n")))


class Completion(unittest.TestCase):
    def test_resources_and_their_verbs(self):
        self.assertLessEqual({"tenants", "domains", "batches", "top", "completion", "--json"}, offered(""))
        self.assertEqual({"tenants", "tenant-api-keys"}, offered("tena"))
        self.assertLessEqual({"create", "list", "verify", "records"}, offered("domains", ""))
        self.assertEqual({"verify"}, offered("domains", "ver"))

    def test_options_of_a_verb(self):
        self.assertEqual({"--ehlo-name"}, offered("sources", "create", "--e"))
        self.assertEqual({"--limit", "--cursor", "--all"}, offered("pools", "list", "") & {"--limit", "--cursor", "--all", "--name"})
        self.assertEqual({"--suspended"}, offered("tenants", "update", "some-id", "--su"))

    def test_options_before_the_verb_are_passed_over(self):
        self.assertEqual({"verify"}, offered("--json", "--profile", "prod", "domains", "ver"))
        self.assertEqual(set(), offered("--profile", ""), "the name of a profile is not ours to know")

    def test_values_that_are_known(self):
        self.assertEqual({"delivered", "deferred"}, offered("events", "list", "--kind", "de"))
        self.assertEqual({"bash", "zsh"}, offered("completion", ""))

    def test_files_where_one_is_taken(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "batch.json").write_text("{}")
            self.assertEqual({"batch.json"}, offered("batches", "submit", "ba", folder=folder))
        self.assertEqual({"--idempotency-key"}, offered("batches", "submit", "--id"))


if __name__ == "__main__":
    unittest.main()
