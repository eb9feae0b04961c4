#!/usr/bin/python3
"""Checks a built .deb as lintian would look at it: what is inside, with which modes, and what the control files say.

    check_deb.py FILE.deb      exit status 0 when all holds; else one line for each thing that does not
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import hardening

FILES = {  # path -> mode and owner as tar shows them
    "./usr/bin/penguin-mta": "-rwxr-xr-x root/root",
    "./usr/bin/penguinctl": "-rwxr-xr-x root/root",
    "./usr/share/bash-completion/completions/penguinctl": "-rw-r--r-- root/root",
    "./lib/systemd/system/penguin-mta.service": "-rw-r--r-- root/root",
    "./etc/penguin-mta/penguin-mta.toml": "-rw-r--r-- root/root",
    "./usr/lib/sysusers.d/penguin-mta.conf": "-rw-r--r-- root/root",
    "./usr/share/doc/penguin-mta/README.md": "-rw-r--r-- root/root",
    "./usr/share/doc/penguin-mta/copyright": "-rw-r--r-- root/root",
}
FOLDERS = ("./", "./usr/", "./etc/", "./lib/")
DEPENDS = ("libc6", "libpq5", "libssl3", "libc-ares2", "libsystemd0", "postgresql-15 | postgresql", "redis-tools", "passwd")
SCRIPTS = ("postinst", "prerm", "postrm")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def content_problems(deb):
    seen = {}
    for line in run("dpkg-deb", "--contents", deb).splitlines():
        mode, owner, _size, _day, _time, path = line.split(None, 5)
        seen[path] = f"{mode} {owner}"
    for path, wanted in FILES.items():
        if path not in seen:
            yield f"{path} is not in the package"
        elif seen[path] != wanted:
            yield f"{path} is {seen[path]}, not {wanted}"
    for path, mode in seen.items():
        if not path.startswith(FOLDERS):
            yield f"{path} is outside of what a package of ours may hold"
        if mode.startswith("d") and mode != "drwxr-xr-x root/root":
            yield f"{path} is {mode}"


def control_problems(deb, folder):
    run("dpkg-deb", "--control", deb, str(folder))
    fields = dict(re.findall(r"^([A-Z][A-Za-z-]*): *(.*)$", (folder / "control").read_text(), re.M))
    for name in ("Package", "Version", "Architecture", "Maintainer", "Description", "Depends", "Installed-Size"):
        if not fields.get(name):
            yield f"control has no {name}"
    depends = fields.get("Depends", "")
    for name in DEPENDS:
        if name not in depends:
            yield f"Depends does not name {name}: {depends}"
    if (folder / "conffiles").read_text() != "/etc/penguin-mta/penguin-mta.toml\n":
        yield "conffiles does not name the configuration, and it alone"
    for name in SCRIPTS:
        script = folder / name
        if script.stat().st_mode & 0o777 != 0o755:
            yield f"{name} has mode {script.stat().st_mode & 0o777:o}"
        if subprocess.run(["sh", "-n", script], check=False).returncode != 0:
            yield f"{name} is not a shell script that parses"
        if "set -e" not in script.read_text():
            yield f"{name} does not stop at errors"


def program_problems(deb, folder):
    run("dpkg-deb", "--extract", deb, str(folder))
    for name in ("penguin-mta", "penguinctl"):
        program = folder / "usr/bin" / name
        if "not stripped" in run("file", "-b", str(program)):
            yield f"{name} is not stripped"
        if re.search(r"R(UN)?PATH", run("objdump", "-p", str(program))):
            yield f"{name} looks for libraries in a folder of the build"
        yield from (f"{name}: {problem}" for problem in hardening.problems(program))
        if b"PENGUIN_CRASH_AT" in program.read_bytes():
            yield f"{name} holds PENGUIN_CRASH_AT: not a release build"
        if not run(str(program), "version").startswith(f"{name} "):
            yield f"{name} version says nothing"
    completion = (folder / "usr/share/bash-completion/completions/penguinctl").read_text()
    if completion != run(str(folder / "usr/bin/penguinctl"), "completion", "bash"):
        yield "the completion of penguinctl is not the one that it prints"
    program = folder / "usr/bin/penguin-mta"
    checked = subprocess.run([str(program), "check-config", str(folder / "etc/penguin-mta/penguin-mta.toml")],
                             check=False, capture_output=True, text=True)
    if checked.returncode != 0 or checked.stdout.strip() != "ok":
        yield f"the packaged configuration is refused: {checked.stdout}{checked.stderr}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    deb = sys.argv[1]
    problems = list(content_problems(deb))
    with tempfile.TemporaryDirectory() as control, tempfile.TemporaryDirectory() as root:
        problems += control_problems(deb, pathlib.Path(control))
        problems += program_problems(deb, pathlib.Path(root))
    for problem in problems:
        print(f"{deb}: {problem}")
    print(f"{deb}: {len(problems)} problems" if problems else f"{deb}: ok")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
