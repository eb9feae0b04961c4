#!/usr/bin/python3
"""Verifies every DKIM signature of every *.eml in a folder with python3-dkim.

The folder also holds the keys, one file a DNS name: <selector>._domainkey.<domain>.txt. Nothing is looked up elsewhere.
Prints a line for each bad signature, at the end "<n> messages, <n> signatures, <n> bad". Exit status 0 when none is bad.
"""
import pathlib
import sys

import dkim


def main(folder: pathlib.Path) -> int:
    def published(name, timeout=5):
        file = folder / (name.decode().rstrip(".") + ".txt")
        return file.read_bytes() if file.exists() else None

    messages = signatures = bad = 0
    for file in sorted(folder.glob("*.eml")):
        messages += 1
        text = file.read_bytes()
        names = [name.lower() for name, _ in dkim.DKIM(text).headers]
        for index in range(names.count(b"dkim-signature")):
            signatures += 1
            try:
                valid = dkim.DKIM(text).verify(idx=index, dnsfunc=published)
                reason = "does not verify"
            except dkim.DKIMException as error:
                valid, reason = False, str(error)
            if not valid:
                bad += 1
                print(f"{file.name}: signature {index}: {reason}")
    print(f"{messages} messages, {signatures} signatures, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
