#!/usr/bin/python3
"""Where the cgroup with a memory limit lies, by what /proc/self/cgroup says; and that two runs cannot have one home."""
import os
import pathlib
import tempfile
import unittest

import places  # noqa: F401
from machine import MemoryGroup
from processes import WorldError
from run import fresh_home

NAME = f"penguin-faults-{os.getpid()}"


class Groups(unittest.TestCase):
    def check(self, cgroup, own, folder, limit):
        group = MemoryGroup(cgroup, pathlib.Path("/cg"))
        self.assertEqual((own, folder, limit), (str(group.own), str(group.folder), group.limit))

    def test_version_1_is_a_child(self):
        self.check("9:name=systemd:/\n4:memory:/a/b\n0::/x\n", "/cg/memory/a/b", f"/cg/memory/a/b/{NAME}", "memory.limit_in_bytes")
        self.check("4:memory:/\n", "/cg/memory", f"/cg/memory/{NAME}", "memory.limit_in_bytes")

    def test_version_2_is_beside_us(self):
        self.check("0::/user.slice/session-1.scope\n", "/cg/user.slice/session-1.scope", f"/cg/user.slice/{NAME}", "memory.max")
        self.check("0::/\n", "/cg", f"/cg/{NAME}", "memory.max")

    def test_without_the_controller_there_is_none(self):
        with tempfile.TemporaryDirectory() as folder:
            group = MemoryGroup("0::/a\n", pathlib.Path(folder))
            self.assertFalse(group.make())
            self.assertEqual([], os.listdir(folder))


class Homes(unittest.TestCase):
    def test_one_run_a_home(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)   # a home that only root can enter would be elsewhere
            work = pathlib.Path(folder) / "work"
            home, lock = fresh_home(work)
            (home / "accepted.jsonl").write_text("{}\n")
            with self.assertRaisesRegex(WorldError, "another run"):
                fresh_home(work)
            self.assertTrue((home / "accepted.jsonl").exists())
            other, other_lock = fresh_home(pathlib.Path(folder) / "other")
            self.assertNotEqual(home, other)
            lock.close()
            other_lock.close()
            again, lock = fresh_home(work)
            self.assertEqual(home, again)
            self.assertFalse((home / "accepted.jsonl").exists())
            lock.close()


if __name__ == "__main__":
    unittest.main()
