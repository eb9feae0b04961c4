"""The verb table of penguinctl against control/openapi.yaml: what the API has, the command line has, and the other way round.

    use   verbs_test.py <binary that prints the verbs> <openapi.yaml>
"""
import json
import re
import subprocess
import sys
import unittest

import yaml

METHODS = ("get", "post", "put", "patch", "delete")
# What penguinctl leaves out: KumoMTA's call, which is there for KumoMTA's clients, and the description itself.
WITHOUT_VERB = {("POST", "/api/inject/v1"), ("GET", "/v1/openapi.yaml")}
KINDS = {"flag": {"boolean"}, "whole": {"integer"}, "number": {"number"}, "texts": {"array"}, "text": {"string"}}


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                operation = dict(item[method])
                operation["parameters"] = [resolve(one) for one in item.get("parameters", []) + operation.get("parameters", [])]
                yield (method.upper(), path), operation


def operation_of(verb):
    return OPERATIONS[verb["method"], verb["path"]]


def body_of(operation):
    content = resolve(operation["requestBody"])["content"] if "requestBody" in operation else {}
    return resolve(content["application/json"]["schema"]) if content else {"properties": {}}


def answer_of(operation):
    status = min(status for status in operation["responses"] if status.startswith("2"))
    content = resolve(operation["responses"][status]).get("content", {})
    return resolve(content["application/json"]["schema"]) if "application/json" in content else None


def lead(schema, path):
    """The schema at the end of a column's path; None when the path leads nowhere."""
    schema = resolve(schema)
    if "oneOf" in schema:   # something, or null
        schema = next(one for one in map(resolve, schema["oneOf"]) if one.get("type") != "null")
    if schema.get("type") == "array":
        return lead(schema["items"], path)
    if not path:
        return schema
    first, _, rest = path.partition(".")
    inside = schema.get("properties", {}).get(first)
    return lead(inside, rest) if inside is not None else None


def params(verb, place):
    return {one["name"]: one for one in verb["params"] if one["in"] == place}


class Verbs(unittest.TestCase):
    def each(self):
        for verb in VERBS:
            with self.subTest(verb["name"]):
                yield verb, operation_of(verb)

    def test_every_operation_has_a_verb_and_every_verb_an_operation(self):
        self.assertEqual(set(OPERATIONS) - WITHOUT_VERB, {(verb["method"], verb["path"]) for verb in VERBS})

    def test_paths_and_queries_have_the_apis_parameters(self):
        for verb, operation in self.each():
            for place in ("path", "query"):
                told = {one["name"] for one in operation["parameters"] if one["in"] == place}
                self.assertEqual(told, set(params(verb, place)))
            self.assertEqual(re.findall(r"{(\w+)}", verb["path"]), list(params(verb, "path")), "in the order of the path")

    def test_headers_are_the_ones_that_the_api_takes(self):
        for verb, operation in self.each():
            headers = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
            self.assertEqual("Idempotency-Key" in headers, verb["idempotency_key"])
            self.assertEqual(headers - {"Idempotency-Key"}, set(params(verb, "if_match")))

    def test_bodies_have_the_apis_fields(self):
        for verb, operation in self.each():
            schema = body_of(operation)
            of_file = {verb["file_field"]} - {""}
            if verb["takes_file"] and not of_file:
                self.assertTrue(schema["properties"])
                continue
            given = params(verb, "body")
            self.assertEqual(set(schema["properties"]), set(given) | of_file)
            self.assertEqual(set(schema.get("required", [])), {name for name, one in given.items() if one["required"]} | of_file)
            for name, one in given.items():
                kind = resolve(schema["properties"][name])["type"]
                self.assertLessEqual({kind} if isinstance(kind, str) else set(kind) - {"null"}, KINDS[one["kind"]], name)

    def test_choices_are_the_apis(self):
        for verb, operation in self.each():
            schemas = {one["name"]: resolve(one["schema"]) for one in operation["parameters"]}
            schemas.update({name: resolve(one) for name, one in body_of(operation)["properties"].items()})
            for one in verb["params"]:
                self.assertEqual(schemas[one["name"]].get("enum", []), one["choices"], one["name"])

    def test_what_is_shown_is_in_the_answer(self):
        for verb, operation in self.each():
            answer = answer_of(operation)
            if answer is None:
                self.assertEqual(([], []), (verb["fields"], verb["columns"]))
                self.assertTrue(verb["plain_text"] or verb["done"], "an empty answer says nothing to people")
                continue
            self.assertTrue(verb["fields"] or verb["columns"])
            for path in verb["fields"]:
                self.assertIsNotNone(lead(answer, path), path)
            if not verb["rows"]:
                self.assertEqual([], verb["columns"])
                continue
            rows = resolve(answer["properties"][verb["rows"]])
            if rows["type"] == "object":
                self.assertEqual(["key", "value"], verb["columns"])
                continue
            for path in verb["columns"]:
                self.assertIsNotNone(lead(rows, path), path)

    def test_lists_are_paged(self):
        for verb, operation in self.each():
            answer = answer_of(operation) or {}
            self.assertEqual("next_cursor" in answer.get("properties", {}), verb["paged"])
            if verb["paged"]:
                self.assertEqual("data", verb["rows"])


class Checks(unittest.TestCase):
    def test_a_column_that_leads_nowhere_is_seen(self):
        answer = answer_of(OPERATIONS["GET", "/v1/batches/{batch}"])
        self.assertIsNotNone(lead(answer, "counts.delivered"))
        for path in ("counts.lost", "count", "id.text"):
            self.assertIsNone(lead(answer, path), path)


if __name__ == "__main__":
    PRINTER, FILE = sys.argv[1:3]
    with open(FILE, encoding="utf-8") as source:
        DOCUMENT = yaml.safe_load(source)
    VERBS = json.loads(subprocess.run([PRINTER], check=True, capture_output=True, text=True).stdout)
    OPERATIONS = dict(operations())
    unittest.main(argv=sys.argv[:1], verbosity=1)
