"""Requests that are nearly right: made from the document's schemas, then spoiled in a few places. Pure, by a Random.

    use     Maker(random, document, known).request(operation)
    known   {name: value} of things that exist: "acme.batch", "globex.domain"; ids and cursors are drawn from them too
    out     Request: all that a client sends but its credential; the body is text that need not be JSON any more
"""
import dataclasses
import json
import re
import urllib.parse
import uuid

DEPTH_MAX = 6         # of made values; the spoiler nests deeper
SPOILS_MAX = 3        # a request
LONG = (64, 255, 256, 500, 998, 1000, 4096, 66_000)
NUMBERS = ("0", "-0", "-1", "1", "0.01", "1e-320", "1e308", "1e999", "-1e999", "9999", "10000", "2147483648", "9223372036854775807",
           "9223372036854775808", "18446744073709551616", "1.5", "01", "+1", "NaN", "0x10", "1e", "340282366920938463463374607431768211456")
TEXTS = ("", " ", "\0", "a\0b", "\x7f", "\r\nX: y", "\u00e9", "\u2028", "\ufeff", "\U0001f600", "{{name}}", "{{#a}}{{/b}}", "{{{x}}}", "{% if %}", "%s%n",
         "' or 1=1 --", "\\x00", "{1,2}", "null", "true", "-infinity", "infinity", "NaN", "../..", "*", "a" * 64, "@", "a@", "@b",
         "ann@example.net", "Ann@EXAMPLE.net", '"a b"@example.net', "a@[127.0.0.1]", "\u00e4@m\u00fcller.example", "a@" + "b" * 64 + ".example",
         "xn--a.example", "a..b", "a@example.net.", "=?utf-8?q?x?=", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
         "2026-11-24T00:00:60Z", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59-23:59", "2026-11-24T04:00:00+01:00", "Content-Type", "X-A: b",
         "To: a@b\r\n\r\n", "https://example.com/{{x}}", "http://x", "QUJD", "QUJD=", "====", "00000000-0000-0000-0000-000000000000",
         "0.0.0.0", "::1", "::ffff:1.2.3.4", "300.1.1.1", "default", "node-1", "MQo=", "LTEK", "OTIyMzM3MjAzNjg1NDc3NTgwNwo=")


class Members(list):
    """An object as (name, value) pairs: a name may come twice."""


class Raw(str):
    """Text that goes out as it is, where JSON wants a value."""


@dataclasses.dataclass
class Request:
    operation: str
    method: str
    target: str
    headers: dict
    body: str | None = None   # one character an octet (latin-1)


def text_of(value):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Members):
        return "{" + ",".join(json.dumps(name) + ":" + text_of(one) for name, one in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def members(value):
    """Parsed JSON, its objects as Members."""
    if isinstance(value, dict):
        return Members((name, members(one)) for name, one in value.items())
    return [members(one) for one in value] if isinstance(value, list) else value


class Maker:
    def __init__(self, random, document, known):
        self.random, self.document, self.known = random, document, known

    def request(self, operation, spoils=None):
        """`spoils`: how many places are spoiled; 0 gives the example, or what should be taken."""
        spoils = self.random.randrange(SPOILS_MAX + 1) if spoils is None else spoils
        target = re.sub(r"{(\w+)}", lambda part: self._quoted(self._path_part(operation, part[1], spoils)), operation.path)
        query = [(name, self._parameter(name, schema, spoils)) for kind, name, schema in operation.parameters
                 if kind == "query" and self._one_in(2)]
        if spoils and self._one_in(10):
            query.append(self.random.choice([("nobody", "1"), ("limit", "0"), *query]))
        if query:
            target += "?" + "&".join(f"{self._quoted(name)}={self._quoted(value)}" for name, value in query)
        headers = {name: self._parameter(name, schema, spoils) for kind, name, schema in operation.parameters
                   if kind == "header" and self._one_in(3)}
        headers = {name: re.sub(r"[\r\n\0]", "?", value).encode().decode("latin-1") for name, value in headers.items()}
        body = None
        if operation.body is not None:
            body = self._body(operation, spoils)
            headers["Content-Type"] = "text/plain" if spoils and self._one_in(50) else "application/json"
        elif spoils and self._one_in(20):
            body = "{}"
        return Request(operation.id, operation.method, target, headers, body)

    def spoil_text(self, text):
        """Of a body that is not known to be JSON."""
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(text) + 1)
            to = min(len(text), at + self.random.choice((0, 1, 1, 2, 8, 64)))
            put = self.random.choice(("", "", text[at:to] * 2, '"', "{", "}", "[", "]", ",", "\0", "\xff", "\xc3", "\\ud800", "\\u0000",
                                      self.random.choice(NUMBERS), chr(self.random.randrange(256))))
            text = text[:at] + put + text[to:]
        return text

    def _one_in(self, count):
        return self.random.randrange(count) == 0

    def _quoted(self, text):
        quoted = urllib.parse.quote(text, safe="")
        return quoted if not self._one_in(40) else quoted + self.random.choice(("%", "%00", "%ff", "%0a", "/", "%2f", ".", "//", "?"))

    def _path_part(self, operation, name, spoils):
        schema = next(schema for kind, found, schema in operation.parameters if kind == "path" and found == name)
        known = [value for key, value in self.known.items() if key.partition(".")[2].startswith(name)]
        if known and not (spoils and self._one_in(4)):
            return self.random.choice(known)
        return self._parameter(name, schema, spoils) or "x"

    def _parameter(self, name, schema, spoils):
        known = [value for key, value in self.known.items() if key.partition(".")[2].startswith(name)]
        if known and not self._one_in(3):
            return self.random.choice(known)
        if spoils and self._one_in(3):
            return self.random.choice((*TEXTS, *NUMBERS, *self.known.values()))
        value = self.value(schema)
        return value if isinstance(value, str) else text_of(value)

    def _body(self, operation, spoils):
        if operation.examples and (not spoils or self._one_in(2)):
            value = members(self.random.choice(operation.examples))
        else:
            value = self.value(operation.body)
        value = self._placed(value)
        for _ in range(spoils):
            value = self._spoiled(value)
        text = text_of(value).encode("utf-8", "surrogatepass").decode("latin-1")
        return self.spoil_text(text) if spoils and self._one_in(15) else text

    def _placed(self, value):
        """Senders that exist, so that more than the first check is passed."""
        sender = self.known.get("acme.sender")
        if sender is None or self._one_in(10):
            return value
        text = text_of(value)
        return members_of_text(re.sub(r"[\w.+-]+@example\.com", lambda _: sender, text))

    def value(self, schema, depth=0):
        schema = self.document.resolve(schema)
        if "oneOf" in schema:
            return self.value(self.random.choice(schema["oneOf"]), depth)
        if "const" in schema or "enum" in schema:
            return self.random.choice(schema.get("enum") or [schema["const"]])
        kinds = schema.get("type", "string")
        kind = self.random.choice(kinds) if isinstance(kinds, list) else kinds
        return getattr(self, "_" + kind)(schema, depth)

    def _object(self, schema, depth):
        made, required = Members(), schema.get("required", [])
        for name, one in schema.get("properties", {}).items():
            if name in required or depth < DEPTH_MAX and self._one_in(2):
                made.append((name, self._known_text(name) or self.value(one, depth + 1)))
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and depth < DEPTH_MAX:
            made += [(f"x{number}", self.value(more, depth + 1)) for number in range(self.random.randrange(3))]
        self.random.shuffle(made)
        return made

    def _known_text(self, name):
        known = [value for key, value in self.known.items() if key.partition(".")[2].startswith(name)]
        return self.random.choice(known) if known and self._one_in(2) else None

    def _array(self, schema, depth):
        count = schema.get("minItems", 0) + self.random.randrange(3)
        return [self.value(schema["items"], depth + 1) for _ in range(count)]

    def _string(self, schema, _depth):
        form = schema.get("format")
        if form == "uuid":
            return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        if form == "date-time":
            return f"20{self.random.randrange(20, 40)}-0{self.random.randrange(1, 10)}-1{self.random.randrange(10)}T04:29:07Z"
        if "pattern" in schema:
            return self.random.choice(("default", "p-1", "a")) if "{1,32}" in schema["pattern"] else f"{uuid.UUID(int=0)}.0"
        return self.random.choice(("Ann", "ann@example.net", "sales@example.com", "example.com", "192.0.2.1", "mta.example.com", "text/plain",
                                   "QUJD", "Hello {{name}}", "From: sales@example.com\nSubject: s\n\nt\n",
                                   "x" * max(schema.get("minLength", 1), self.random.randrange(40))))

    def _integer(self, schema, _depth):
        return self.random.randint(schema.get("minimum", 0), schema.get("maximum", 1000))

    def _number(self, schema, _depth):
        return self.random.uniform(schema.get("minimum", 0), schema.get("maximum", 1000))

    def _boolean(self, _schema, _depth):
        return self._one_in(2)

    @staticmethod
    def _null(_schema, _depth):
        return None

    def _spoiled(self, value):
        """The same with one place spoiled: the value itself, or one in it."""
        if isinstance(value, (Members, list)) and value and not self._one_in(4):
            return self._spoiled_inside(value)
        how = self.random.randrange(10)
        if how < 4 and isinstance(value, str):
            return self._spoiled_string(value)
        if how < 5:
            return Raw(self.random.choice(NUMBERS))
        if how < 6:
            deep = self.random.choice((2, 30, 31, 32, 33, 64, 500))
            return Raw(self.random.choice(("[", '{"a":')) * deep)if self._one_in(4) else Raw("[" * deep + "]" * deep)
        if how < 7:
            return self.random.choice((None, True, False, [], Members(), [None], Members([("", None)])))
        if how < 8 and isinstance(value, list) and not isinstance(value, Members):
            return value * self.random.choice((0, 2, 51, 101))
        return self.random.choice((*TEXTS, *self.known.values()))

    def _spoiled_inside(self, value):
        at = self.random.randrange(len(value))
        if isinstance(value, Members):
            name, one = value[at]
            how = self.random.randrange(12)
            if how == 0:
                return Members(value[:at] + value[at + 1:])
            if how == 1:
                return Members([*value, (name, self._spoiled(one))])  # twice
            if how == 2:
                return Members([*value, (self.random.choice(TEXTS), one)])  # unknown
            return Members([*value[:at], (name, self._spoiled(one)), *value[at + 1:]])
        return [*value[:at], self._spoiled(value[at]), *value[at + 1:]]

    def _spoiled_string(self, text):
        how = self.random.randrange(5)
        if how == 0:
            return self.random.choice((text or "x", "x", "\u00e4", ".", "<", "\n"))[:1] * self.random.choice(LONG)
        if how == 1:
            at = self.random.randrange(len(text) + 1)
            return text[:at] + self.random.choice(TEXTS) + text[at:]
        if how == 2:
            return text.upper()
        if how == 3:
            return Raw(json.dumps(text)[:-1] + self.random.choice(("\\u0000", "\\ud800", "\\udc00\\ud800", "\\x", "\xff", "\n", "\\/")) + '"')
        return text[:self.random.randrange(len(text) + 1)]


def members_of_text(text):
    return json.loads(text, object_pairs_hook=Members)
