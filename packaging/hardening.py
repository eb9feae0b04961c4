#!/usr/bin/python3
"""What the compiler and the linker must have put into a program, read from its ELF file by readelf (binutils).

    hardening.py PROGRAM       exit status 0 when all is there; else one line for each thing that is not
    problems(program)          the same lines, for check_deb.py and the tests
    fortified=False            for a build that is not optimised: _FORTIFY_SOURCE does nothing there
    limits                     x86-64; what a flag did is looked for, not the flag
"""
import pathlib
import re
import subprocess
import sys

ENDBR64 = bytes.fromhex("f30f1efa")  # where an indirect call or jump may land
START_LANDINGS = 2  # the C library's own, in whatever starts a program
TEXT_A_LANDING = 16 * 1024  # octets of code: more for one landing place means that whole modules have none


def read(option, program):
    return subprocess.run(["readelf", option, "-W", str(program)], check=True, capture_output=True, text=True).stdout


def code_of(program):
    found = re.search(r" \.text +PROGBITS +[0-9a-f]+ +([0-9a-f]+) +([0-9a-f]+) ", read("-S", program))
    offset, size = (int(text, 16) for text in found.groups())
    return pathlib.Path(program).read_bytes()[offset:offset + size]


def layout_problems(program):
    if "Type: DYN (Position-Independent Executable" not in re.sub(r" +", " ", read("-h", program)):
        yield "the program is not position independent"
    segments = read("-l", program)
    if not re.search(r"^ *GNU_RELRO ", segments, re.M):
        yield "the program has no segment that becomes read-only after relocation"
    if re.search(r"^ *GNU_STACK .* RWE ", segments, re.M) or "GNU_STACK" not in segments:
        yield "the program's stack can be executed"
    if re.search(r"^ *LOAD .* RWE ", segments, re.M):
        yield "the program has memory that can be written and executed"
    dynamic = read("-d", program)
    if not re.search(r"\((FLAGS|FLAGS_1|BIND_NOW)\).*\bNOW\b|BIND_NOW", dynamic):
        yield "the program binds functions lazily: its table of them stays writable"
    if "TEXTREL" in dynamic:
        yield "the program's code is written to when it is loaded"


def code_problems(program, fortified):
    imported = set(re.findall(r" UND (\w+)", read("--dyn-syms", program)))
    if "__stack_chk_fail" not in imported:
        yield "the program has no stack protector"
    if fortified and not any(re.fullmatch(r"__\w+_chk", name) for name in imported):
        yield "the program calls no checked function of the C library: _FORTIFY_SOURCE is off"
    code = code_of(program)
    ours = code.count(ENDBR64) - START_LANDINGS
    if ours * TEXT_A_LANDING < len(code):
        yield "the program's functions have no landing places: -fcf-protection is off"


def problems(program, fortified=True):
    yield from layout_problems(program)
    yield from code_problems(program, fortified)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(problems(sys.argv[1]))
    for problem in found:
        print(f"{sys.argv[1]}: {problem}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
