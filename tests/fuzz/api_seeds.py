"""Seeds of the target api_requests, of every operation of control/openapi.yaml: its examples, and requests that are nearly right.

    out     files in the form that api_requests.cpp reads; and a dictionary of the document's names and words
"""
import pathlib
import random
import re

from api_document import Document
from api_maker import Maker

SPOILED = 12  # requests an operation, besides its examples
KNOWN = {"acme.tenant": "01936f8a-0000-7000-8000-000000000001", "acme.batch": "01936f8a-0000-7000-8000-000000000002",
         "acme.message": "01936f8a-0000-7000-8000-000000000002.0", "acme.domain": "example.com", "acme.address": "ann@example.net"}


def input_of(operation, request):
    caller = "platform" if operation.audience == "platform" else "tenant"
    value = request.headers.get("Idempotency-Key") or request.headers.get("If-Match") or ""
    body = request.body or ""
    return f"{caller} {request.method} {request.target}\n".encode() + f"{value}\n{body}".encode("latin-1")


def write(openapi, folder, seed, length_max):
    document = Document(pathlib.Path(openapi).read_text(encoding="utf-8"))
    maker = Maker(random.Random(seed), document, KNOWN)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for operation in document.operations:
        for number in range(SPOILED + 2):
            made = input_of(operation, maker.request(operation, spoils=0 if number < 2 else 1 + number % 3))
            if len(made) <= length_max:
                (folder / f"{operation.id}-{number}").write_bytes(made)


def dictionary(openapi):
    """Lines for -dict: what stands in the document as a name or a word, quoted as JSON has it."""
    document = Document(pathlib.Path(openapi).read_text(encoding="utf-8"))
    words = set()

    def walk(node):
        if isinstance(node, dict):
            words.update(node.get("properties", {}))
            words.update(word for word in node.get("enum", []) if isinstance(word, str))
            words.update(re.findall(r"/[a-z-]+", "" if "paths" not in node else " ".join(node["paths"])))
            for one in node.values():
                walk(one)
        elif isinstance(node, list):
            for one in node:
                walk(one)

    walk({"paths": document.tree["paths"], "schemas": document.tree["components"]["schemas"]})
    return "".join(f'"\\"{word}\\""\n' if not word.startswith("/") else f'"{word}"\n' for word in sorted(words))
