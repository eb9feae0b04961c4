"""Whether an answer of the API may be. Pure.

    rules   2xx, 4xx and 503 alone; what has a schema fits it; a problem is one that control/openapi.yaml names, and names the fields
            when they are what is wrong; 503 says when to come again; no word of another tenant is in it
"""
import json

FREE_OF_RETRY = ("healthz", "readyz")  # their 503 is for load balancers, which come again anyway


def complaints(document, operation, status, headers, body, secrets):
    """`operation`: what the target reaches, None when nothing; `secrets`: words that only another tenant may see."""
    found = [f"the answer holds {secret}, which is another tenant's" for secret in secrets
             if secret in body or any(secret in value for value in headers.values())]
    if not (200 <= status < 300 or 400 <= status < 500 or status == 503):
        found.append(f"status {status}")
    if "X-Request-Id" not in headers:
        found.append("no X-Request-Id")
    described = operation.responses.get(str(status)) if operation else None
    if status >= 400 and not (described and "application/json" in described):
        return found + _problem_complaints(document, status, headers, body)
    if status == 503 and operation.id not in FREE_OF_RETRY and "Retry-After" not in headers:
        found.append("503 without Retry-After")
    if operation and described is None and not (operation.method == "OPTIONS" and status == 204):
        found.append(f"{operation.id} answers {status}, which is not described")
    for kind, schema in (described or {}).items():
        if headers.get("Content-Type", "").partition(";")[0] != kind:
            found.append(f"Content-Type {headers.get('Content-Type')} instead of {kind}")
        elif kind == "application/json":
            found += _json_complaints(document, schema, body)
    return found


def _json_complaints(document, schema, body):
    try:
        return document.misfits(schema, json.loads(body))
    except ValueError as error:
        return [f"no JSON: {error}"]


def _problem_complaints(document, status, headers, body):
    if headers.get("Content-Type") != "application/problem+json":
        return [f"Content-Type {headers.get('Content-Type')} of a problem"]
    found = _json_complaints(document, document.problem, body)
    if found:
        return found
    problem = json.loads(body)
    if problem["status"] != status:
        found.append(f"status {problem['status']} in a {status}")
    if problem["code"] == "internal_error":
        found.append("internal_error")
    if problem["code"] == "validation_failed" and not problem.get("errors"):
        found.append("validation_failed without a field")
    if any(not one["field"] for one in problem.get("errors", [])):
        found.append("an error without the name of its field")
    if status == 503 and "Retry-After" not in headers:
        found.append("503 without Retry-After")
    return found


def signature(operation, status, body):
    """What is new about an answer: operation, status, code and the codes of its fields."""
    codes = ()
    if status >= 400:
        try:
            problem = json.loads(body)
            codes = (problem.get("code"), *sorted({one["code"] for one in problem.get("errors", [])}))
        except (ValueError, AttributeError, KeyError, TypeError):
            codes = ("?",)
    return (operation.id if operation else "-", status, *codes)
