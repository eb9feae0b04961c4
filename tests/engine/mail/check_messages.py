#!/usr/bin/python3
"""Reads every *.eml of a folder with python's email package and compares it with the *.json beside it.

Prints a line for each difference, at the end "<n> messages, <n> wrong". Exit status 0 when none is wrong.
"""
import base64
import email
import email.policy
import json
import pathlib
import sys


def structure(part):
    if not part.is_multipart():
        return part.get_content_type()
    return part.get_content_type() + "(" + " ".join(structure(one) for one in part.iter_parts()) + ")"


def differences(raw, expected):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    texts, attachments = [], []
    for part in leaves:
        if part.get_content_disposition():
            attachments.append([part.get_filename() or "", part.get_content_type(),
                                base64.b64encode(part.get_payload(decode=True)).decode(),
                                (part["Content-ID"] or "").strip().strip("<>")])
        else:
            texts.append([part.get_content_type(), part.get_content().replace("\r\n", "\n")])
    to = message["To"].addresses
    found = {"subject": str(message["Subject"]), "to_name": to[0].display_name, "texts": texts, "attachments": attachments,
             "structure": structure(message)}
    for key, value in expected.items():
        if found[key] != value:
            yield f"{key}: {found[key]!r} instead of {value!r}"
    for part in message.walk():
        for defect in part.defects:
            yield f"defect: {defect!r}"
    for name, value in message.items():
        for defect in value.defects:
            yield f"defect in {name}: {defect!r}"
    if len(to) != 1 or to[0].addr_spec != "ann@example.org":
        yield f"to: {to}"
    if any(octet > 0x7F for octet in raw):
        yield "8-bit octets"
    if raw.replace(b"\r\n", b"").count(b"\n") or raw.replace(b"\r\n", b"").count(b"\r"):
        yield "bare line ends"
    if max(len(line) for line in raw.split(b"\r\n")) > 998:
        yield "a line over 998 octets"
    for name in ("Date", "Message-ID", "From", "MIME-Version"):
        if len(message.get_all(name, [])) != 1:
            yield f"{name}: not exactly once"


def main(folder):
    messages = wrong = 0
    for file in sorted(folder.glob("*.eml")):
        messages += 1
        found = list(differences(file.read_bytes(), json.loads(file.with_suffix(".json").read_text())))
        wrong += 1 if found else 0
        for one in found:
            print(f"{file.name}: {one}")
    print(f"{messages} messages, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
