"""control/openapi.yaml as the fuzzer needs it: its operations, and whether a value fits a schema. Pure.

    use     document = Document(yaml_text); document.operations; document.misfits(schema, value)
    limits  the schema words that the document uses; an unknown one is a KeyError, so that none is passed over
"""
import dataclasses
import re

import yaml

METHODS = ("get", "post", "put", "patch", "delete", "options", "head")
_KINDS = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
_CHECKED = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "pattern", "format", "oneOf", "minLength",
            "maxLength", "minItems", "maxItems", "minimum", "maximum", "minProperties"}
_TOLD = {"description", "default", "example", "examples", "$ref"}
_FORMATS = {"uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
            "date-time": re.compile(r"-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")}


@dataclasses.dataclass(frozen=True, eq=False)
class Operation:
    id: str
    method: str
    path: str          # /v1/batches/{batch}
    audience: str      # tenant, platform, public
    parameters: tuple  # (in, name, schema)
    body: dict | None  # schema
    examples: tuple    # bodies
    responses: dict    # "200" -> {content type: schema}


class Document:
    def __init__(self, text):
        self.tree = yaml.safe_load(text)
        self.operations = [self._operation(path, method, item) for path, item in self.tree["paths"].items()
                           for method in METHODS if method in item]
        schemas = self.tree["components"]["schemas"]
        self.problem = schemas["Problem"]
        self.codes = set(schemas["Problem"]["properties"]["code"]["enum"])
        self.field_codes = set(schemas["FieldError"]["properties"]["code"]["enum"])

    def resolve(self, node):
        while "$ref" in node:
            target = self.tree
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _operation(self, path, method, item):
        told = item[method]
        parameters = [self.resolve(one) for one in item.get("parameters", []) + told.get("parameters", [])]
        media = told.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [media["example"]] if "example" in media else [one["value"] for one in media.get("examples", {}).values()]
        responses = {status: {kind: self.resolve(content.get("schema", {}))
                              for kind, content in self.resolve(answer).get("content", {}).items()}
                     for status, answer in told["responses"].items()}
        return Operation(told["operationId"], method.upper(), path, told["x-audience"],
                         tuple((one["in"], one["name"], self.resolve(one["schema"])) for one in parameters),
                         self.resolve(media["schema"]) if media else None, tuple(examples), responses)

    def size(self, schema):
        """How many values it may hold: where there is more to go wrong."""
        if not schema:
            return 0
        schema = self.resolve(schema)
        inner = [*schema.get("properties", {}).values(), *schema.get("oneOf", []), schema.get("items")]
        return 1 + sum(self.size(one) for one in inner)

    def match(self, method, target):
        """The operation that a target reaches; None when there is none."""
        parts = target.partition("?")[0].split("/")
        for operation in self.operations:
            pattern = operation.path.split("/")
            if operation.method == method and len(pattern) == len(parts) and all(
                    one == part or one.startswith("{") and part for one, part in zip(pattern, parts)):
                return operation
        return None

    def misfits(self, schema, value, path="$"):
        """What of `value` the schema does not allow, one text each."""
        schema = self.resolve(schema)
        if unknown := set(schema) - _CHECKED - _TOLD:
            raise KeyError(f"schema words {unknown} at {path}")
        if "oneOf" in schema:
            tries = [self.misfits(one, value, path) for one in schema["oneOf"]]
            return [] if sum(not one for one in tries) == 1 else [f"{path}: fits not exactly one of oneOf"]
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(_is(value, kind) for kind in kinds):
            return [f"{path}: {type(value).__name__} is none of {kinds}"]
        if "enum" in schema and value not in schema["enum"] or "const" in schema and value != schema["const"]:
            return [f"{path}: {value!r} is not one of the values"]
        if isinstance(value, str):
            return self._text_misfits(schema, value, path)
        if isinstance(value, list):
            return [text for place, one in enumerate(value) for text in self.misfits(schema.get("items", {}), one, f"{path}[{place}]")]
        if isinstance(value, dict):
            return self._object_misfits(schema, value, path)
        return []

    @staticmethod
    def _text_misfits(schema, value, path):
        wrong = [pattern for pattern in [_FORMATS.get(schema.get("format"))] if pattern and not pattern.fullmatch(value)]
        wrong += [1] if "pattern" in schema and not re.search(schema["pattern"], value) else []
        return [f"{path}: {value!r} has another form"] if wrong else []

    def _object_misfits(self, schema, value, path):
        properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        found = [f"{path}: lacks {name}" for name in schema.get("required", []) if name not in value]
        for name, one in value.items():
            if name in properties:
                found += self.misfits(properties[name], one, f"{path}.{name}")
            elif more is False:
                found.append(f"{path}: has {name}, which is not described")
            elif isinstance(more, dict):
                found += self.misfits(more, one, f"{path}.{name}")
        return found


def _is(value, kind):
    if kind in ("integer", "number"):
        return isinstance(value, (int, float) if kind == "number" else int) and not isinstance(value, bool)
    return isinstance(value, _KINDS[kind])
