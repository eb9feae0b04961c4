"""What this machine lets the campaign do: a network and mounts of its own, small disks, a cgroup, somebody else's limits.

    out     abilities(): the names of what works here; faults that need another are left out, and the run says so
            root       we may become other users
            netns      we are in a network namespace of our own (addresses come and go, ports run out, nobody else is hurt)
            disk       small file systems that can be filled
            memory     a cgroup with a memory limit
            clock      the shim that shifts a process's clock is built
"""
import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import sys

MARK = "PENGUIN_FAULTS_NAMESPACE"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
FARAWAY = "10.99.0.5"      # an address that exists in our namespace alone


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **options)


def enter_namespace():
    """Starts this program again in network and mount namespaces of its own, where it can. Whatever it mounts goes with it."""
    if os.environ.get(MARK) or os.geteuid() != 0 or not shutil.which("ip"):
        return
    if run("unshare", "--net", "--mount", "ip", "link", "set", "lo", "up").returncode == 0:
        os.environ[MARK] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def abilities(work, programs):
    found = set()
    if os.geteuid() == 0:
        found.add("root")
    if os.environ.get(MARK) and run("ip", "link", "set", "lo", "up").returncode == 0 \
            and run("ip", "address", "replace", f"{FARAWAY}/32", "dev", "lo").returncode == 0:
        found.add("netns")
    probe = pathlib.Path(work) / "disk-probe"
    if "netns" in found and SmallDisk(probe, 1 << 20).mount():   # only where our mounts vanish with us
        SmallDisk(probe, 0).unmount()
        found.add("disk")
    group = MemoryGroup()
    if group.make():
        group.remove()
        found.add("memory")
    if clock_shim(work, programs):
        found.add("clock")
    return found


def clock_shim(work, programs):
    """clock_shim.c as a library that every user may load, from the folder of the programs; None when it is not there."""
    library = pathlib.Path(work) / "clock_shim.so"
    with contextlib.suppress(OSError):
        shutil.copyfile(pathlib.Path(programs) / "clock_shim.so", library)
        library.chmod(0o755)
        return library
    return None


class SmallDisk:
    """A file system in memory that can be made as full as it is."""

    def __init__(self, folder, octets):
        self.folder, self.octets = pathlib.Path(folder), octets

    def mount(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        return run("mount", "-t", "tmpfs", "-o", f"size={self.octets},mode=0700", "tmpfs", self.folder).returncode == 0

    def unmount(self):
        run("umount", "-l", self.folder)

    def used(self):
        room = os.statvfs(self.folder)
        return (room.f_blocks - room.f_bfree) * room.f_frsize

    def fill(self, spare=4096):
        """Leaves `spare` octets; what is there stays."""
        for _ in range(20):   # what is used may grow between looking and setting
            if run("mount", "-o", f"remount,size={self.used() + spare}", self.folder).returncode == 0:
                return True
        return False

    def empty(self):
        run("mount", "-o", f"remount,size={self.octets}", self.folder)


class MemoryGroup:
    """A cgroup with a memory limit: in version 1 a child of our own; in version 2 one beside it, since a group that has processes
    shares out no memory there (a child of the root group, when we are in that)."""

    def __init__(self, cgroup=None, root=CGROUPS):
        """`cgroup`: as /proc/self/cgroup says it."""
        found = {controllers: path.strip("/") for _, controllers, path in
                 (line.split(":", 2) for line in (cgroup or pathlib.Path("/proc/self/cgroup").read_text()).splitlines())}
        name = f"penguin-faults-{os.getpid()}"
        if "memory" in found:
            self.own, self.limit, self.usage = root / "memory" / found["memory"], "memory.limit_in_bytes", "memory.usage_in_bytes"
            self.folder = self.own / name
        else:
            self.own, self.limit, self.usage = root / found.get("", ""), "memory.max", "memory.current"
            self.folder = (self.own.parent if found.get("") else self.own) / name

    def make(self):
        with contextlib.suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            if (self.folder / self.limit).exists():
                return True
            self.folder.rmdir()
        return False

    def take(self, pid):
        (self.folder / "cgroup.procs").write_text(str(pid))

    def give_back(self, pid):
        with contextlib.suppress(OSError):
            (self.own / "cgroup.procs").write_text(str(pid))

    def set_limit(self, octets):
        """False when the kernel refuses (it cannot get below that)."""
        try:
            (self.folder / self.limit).write_text(str(octets))
        except OSError:
            return False
        return True

    def used(self):
        return int((self.folder / self.usage).read_text())

    def remove(self):
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def resident(pid):
    """Octets of memory that a process has; 0 when it is gone."""
    with contextlib.suppress(OSError):
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def descriptors(pid):
    with contextlib.suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/fd"))
    return 0


def owner(pid):
    """(user, group) of a process. Who owns /proc/<pid> does not tell: that is root's where memory is not to be looked into."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("Uid:", "Gid:"))}
    return int(found["Uid"]), int(found["Gid"])


def limit_descriptors(pid, soft):
    """Sets the soft limit of another process, as its own user: without CAP_SYS_RESOURCE nobody else may. None: as high as it goes."""
    user, group = owner(pid)
    program = ("import resource, sys; pid, soft = int(sys.argv[1]), int(sys.argv[2]); hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]; "
               "resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard if soft < 0 else soft, hard))")
    as_user = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
    return run(sys.executable, "-c", program, pid, -1 if soft is None else soft, cwd="/", **as_user).returncode == 0
