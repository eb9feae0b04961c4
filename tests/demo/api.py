"""The control API as a client sees it (control/openapi.yaml), by the standard library alone.

    errors  ApiError: the server's problem (status, code, detail). OSError and http.client.HTTPException: no answer, so
            nobody knows whether the call happened; only a call with an Idempotency-Key, or a GET, may simply be repeated.
    limits  TIMEOUT seconds a call, unless told otherwise; 503 and 429 are tried again for BUSY_PATIENCE seconds
"""
import http.client
import json
import time
import urllib.parse

TIMEOUT = 60
BUSY_PATIENCE = 30
PAGE = 500  # the most that a list gives at once


class ApiError(Exception):
    def __init__(self, status, problem, call):
        self.status, self.problem = status, problem
        self.code = problem.get("code", "") if isinstance(problem, dict) else ""
        super().__init__(f"{call}: {status} {self.code}: {problem.get('detail', problem) if isinstance(problem, dict) else problem}")


class Api:
    def __init__(self, base, token=None, timeout=TIMEOUT):
        self.base, self.token, self.timeout = base, token, timeout
        self.host = urllib.parse.urlsplit(base).netloc

    def as_user(self, token):
        return Api(self.base, token, self.timeout)

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None, headers=None):
        return self.call("POST", path, {} if body is None else body, headers)

    def pages(self, path):
        """Every item of a list, over all its pages."""
        cursor = None
        while True:
            mark = "&" if "?" in path else "?"
            page = self.get(f"{path}{mark}limit={PAGE}" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""))
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def call(self, method, path, body=None, headers=None):
        deadline = time.monotonic() + BUSY_PATIENCE
        while True:
            status, answer = self.once(method, path, body, headers)
            if status in (429, 503) and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            if status >= 400:
                raise ApiError(status, answer, f"{method} {path}")
            return answer

    def once(self, method, path, body=None, headers=None):
        """(status, parsed JSON or text) of one exchange."""
        status, _, answer = self.exchange(method, path, body, headers)
        return status, answer

    def exchange(self, method, path, body=None, headers=None):
        """(status, headers, parsed JSON or text)."""
        connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
        try:
            sent = {"Accept": "application/json", **(headers or {})}
            if self.token:
                sent["Authorization"] = f"Bearer {self.token}"
            data = None
            if body is not None:
                data = json.dumps(body).encode()
                sent["Content-Type"] = "application/json"
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            text = response.read().decode()
            if "json" in response.headers.get("Content-Type", ""):
                return response.status, response.headers, json.loads(text)
            return response.status, response.headers, text
        finally:
            connection.close()
