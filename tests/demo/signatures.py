"""Checks DKIM signatures with python3-dkim, which shares no code with us, against the keys that our DNS really serves.

    in      whole messages as they arrived, CRLF; lookup(name) -> TXT as bytes or None
    out     (signatures checked, signatures valid, [what is wrong])
"""
import re

import dkim


def check(messages, lookup, expected_per_message=1):
    """Each message must carry at least `expected_per_message` signatures, and every one of them must verify."""
    cache = {}

    def dns_txt(name, timeout=5):  # pylint: disable=unused-argument; python3-dkim calls it so
        key = name.decode() if isinstance(name, bytes) else name
        if key not in cache:
            cache[key] = lookup(key)
        return cache[key]

    checked = valid = 0
    faults = []
    for label, raw in messages:
        head = raw[:raw.find(b"\r\n\r\n") + 2]
        count = len(re.findall(rb"(?im)^DKIM-Signature:", head))
        if count < expected_per_message:
            faults.append(f"{label}: {count} signatures")
        for index in range(count):
            checked += 1
            why = _problem(raw, index, dns_txt)
            valid += why is None
            if why:
                faults.append(f"{label}: signature {index + 1}: {why}")
    return checked, valid, faults


def _problem(raw, index, dns_txt):
    try:
        verifier = dkim.DKIM(raw, minkey=1024, timeout=5)
        if not verifier.verify(idx=index, dnsfunc=dns_txt):
            return "does not verify"
        from_domain = re.search(rb"(?im)^From:(?:.*\r?\n[ \t])*.*@([A-Za-z0-9.-]+)", raw).group(1).lower()
        return None if verifier.domain.lower() == from_domain else f"d={verifier.domain.decode()} is not the From domain {from_domain.decode()}"
    except dkim.DKIMException as error:
        return f"{type(error).__name__}: {error}"
