#!/usr/bin/python3
"""control/openapi.yaml against the route table of the program, and against itself.

    use   openapi_test.py <binary that prints the routes> <openapi.yaml>
"""
import json
import re
import subprocess
import sys
import unittest

import yaml

METHODS = {"get", "post", "put", "patch", "delete", "options", "head"}
SCHEMA_WORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "pattern", "format", "oneOf", "minLength",
                "maxLength", "minItems", "maxItems", "minimum", "maximum", "minProperties", "description", "default", "examples", "$ref"}
TYPES = {"string", "integer", "number", "boolean", "array", "object", "null"}


def routes():
    lines = subprocess.run([ROUTES], check=True, capture_output=True, text=True).stdout.split("\n")
    for line in filter(None, lines):
        method, pattern, audience, scope, body = line.split()
        yield method, pattern, audience, scope, body


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item, item[method]


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class OpenApi(unittest.TestCase):
    def test_every_route_is_documented_as_it_is(self):
        told = set()
        for path, method, _, operation in operations():
            body = "json" if "requestBody" in operation else "none"
            told.add((method.upper(), path, operation["x-audience"], operation.get("x-scope", "-"), body))
        self.assertEqual(set(routes()), told)

    def test_operation_ids_are_unique_and_tags_are_known(self):
        ids = [operation["operationId"] for *_, operation in operations()]
        self.assertEqual(len(ids), len(set(ids)))
        tags = {tag["name"] for tag in DOCUMENT["tags"]}
        for path, method, _, operation in operations():
            self.assertLessEqual(set(operation["tags"]), tags, f"{method} {path}")

    def test_path_parameters_are_declared(self):
        for path, method, item, operation in operations():
            declared = [resolve(one) for one in item.get("parameters", []) + operation.get("parameters", [])]
            names = {one["name"] for one in declared if one["in"] == "path"}
            self.assertEqual(names, set(re.findall(r"{(\w+)}", path)), f"{method} {path}")
            self.assertTrue(all(one["required"] for one in declared if one["in"] == "path"))

    def test_references_lead_somewhere_and_every_component_is_used(self):
        text = json.dumps(DOCUMENT)
        used = set(re.findall(r'"#/components/(\w+)/(\w+)"', text))
        for kind, name in used:
            self.assertIn(name, DOCUMENT["components"][kind])
        there = {(kind, name) for kind, named in DOCUMENT["components"].items() for name in named if kind != "securitySchemes"}
        # The scheme of Scope is used by key schemas; nothing may be left over.
        self.assertEqual(there - used, set())

    def test_every_operation_has_a_summary_and_answers(self):
        for path, method, _, operation in operations():
            self.assertTrue(operation["summary"], f"{method} {path}")
            self.assertTrue(any(status.startswith("2") for status in operation["responses"]), f"{method} {path}")
            if operation["x-audience"] != "public":
                self.assertIn("default", operation["responses"], f"{method} {path}: problems")

    def test_scopes_are_the_ones_that_the_text_lists(self):
        for path, method, _, operation in operations():
            if "x-scope" in operation:
                self.assertIn(operation["x-scope"], DOCUMENT["info"]["description"], f"{method} {path}")
        tenant = {operation["x-scope"] for *_, operation in operations() if operation["x-audience"] == "tenant"}
        self.assertEqual(tenant, set(DOCUMENT["components"]["schemas"]["Scope"]["enum"]))

    def test_required_fields_are_properties(self):
        for name, schema in DOCUMENT["components"]["schemas"].items():
            self.assertLessEqual(set(schema.get("required", [])), set(schema.get("properties", {})), name)
            kinds = schema.get("type", [])
            self.assertLessEqual({kinds} if isinstance(kinds, str) else set(kinds), TYPES, name)

    def test_schemas_hold_schema_words_only(self):
        """In {description: a, b} the b is a word of its own, which nobody sees."""
        def words(schema, path):
            self.assertLessEqual(set(schema), SCHEMA_WORDS, path)
            inner = [*schema.get("properties", {}).items(), *((f"oneOf {place}", one) for place, one in enumerate(schema.get("oneOf", [])))]
            inner += [(name, schema[name]) for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
            for name, one in inner:
                words(one, f"{path}.{name}")
        for name, schema in DOCUMENT["components"]["schemas"].items():
            words(schema, name)

    def test_examples_fit_their_schema(self):
        for path, method, _, operation in operations():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                schema = resolve(media["schema"])
                examples = [media["example"]] if "example" in media else [one["value"] for one in media["examples"].values()]
                for example in examples:
                    self.assertLessEqual(set(schema.get("required", [])), set(example), f"{method} {path}")
                    self.assertLessEqual(set(example), set(schema["properties"]), f"{method} {path}")


if __name__ == "__main__":
    ROUTES, FILE = sys.argv[1:3]
    with open(FILE, encoding="utf-8") as source:
        DOCUMENT = yaml.safe_load(source)
    unittest.main(argv=sys.argv[:1], verbosity=1)
