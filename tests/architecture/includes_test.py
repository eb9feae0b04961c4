#!/usr/bin/python3
"""Who may include whom. Fails when a module includes, or links, what the dependency diagram forbids.

    in     the sources below the root of the project
    out    one line for each forbidden include or link: file, line, what, and the rule
    rules  MODULES is the diagram: what a module may include besides itself (what those may include comes with it).
           LIBRARIES says which folders alone may see a library's headers.
"""
import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

ENGINE = ["engine/base", "engine/mail", "engine/smtp", "engine/policy", "engine/net", "engine/dns", "engine/queue"]
MODULES = {
    "engine/base": [],
    "engine/mail": ["engine/base"],
    "engine/smtp": ["engine/mail"],
    "engine/policy": ["engine/mail", "engine/smtp"],
    "engine/net": ["engine/mail"],
    "engine/dns": ["engine/mail"],
    "engine/queue": ["engine/mail", "engine/net"],
    "engine/intake": ["engine/mail", "engine/smtp", "engine/net", "engine/queue"],
    "engine/delivery": ENGINE,
    "dkim": ["engine/mail", "engine/dns/resolver.h"],
    "control/db": ["engine/base"],
    "control/daemon": [*ENGINE, "engine/intake", "engine/delivery", "dkim", "control"],
    "control": [*ENGINE, "engine/intake", "engine/delivery", "dkim", "control/db"],  # the other folders of control/
    "bench": [*ENGINE, "bench/micro/micro_command.h"],
    "bench/micro": ["bench", "dkim"],  # measures single operations, signing among them
}

# Protocol and policy decide on plain data: no sockets. engine/base/asio.h and the port signer.h are for those that do I/O.
PURE = ["engine/base", "engine/mail", "engine/smtp", "engine/policy"]
MAY_NAME_ASIO = ["engine/base/asio.h", "engine/base/asio.cpp", "engine/base/asio_src.cpp", "engine/mail/signer.h"]

LIBRARIES = {
    r"libpq-fe\.h|libpq/|postgres_ext\.h": ["control/db"],
    r"opendkim/|dkim\.h$": ["dkim"],
    r"boost/beast": ["control", "bench"],
    r"hiredis/": ["engine/queue"],
    r"ares\.h|ares_": ["engine/dns"],
    r"gmime/": ["engine/mail"],
    r"idn2\.h": ["engine/mail"],
    r"spdlog/": ["engine/base"],
    r"toml\+\+/": ["control/config", "engine/policy", "bench/sink"],
    r"re2/": ["engine/policy"],
    r"date/": ["engine/base"],
    r"CLI/": ["control/daemon", "control/ctl", "bench"],
    r"benchmark/": ["bench/micro"],
    r"systemd/": ["control/daemon"],
    r"gtest/|gmock/": [],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def module_of(path):
    """The module a file belongs to; None for what the diagram does not name (tests, packaging)."""
    found = [name for name in MODULES if path.startswith(name + "/")]
    return max(found, key=len) if found else None


def allowed(module):
    """Every module and header that a module may include."""
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += MODULES.get(name, [])
    return seen


def own_include_problem(module, target):
    target_module = module_of(target)
    if target_module is None:
        return "is no module of ours"
    if target_module in allowed(module) or target in allowed(module):
        return None
    return f"{module} may see only {', '.join(sorted(allowed(module)))}"


def library_problem(module, path, header):
    if re.match(r"boost/asio", header) and module in PURE and path not in MAY_NAME_ASIO:
        return f"{module} does no I/O"
    for pattern, owners in LIBRARIES.items():
        if re.match(pattern, header) and not any(path.startswith(owner + "/") for owner in owners):
            return f"only {', '.join(owners) or 'tests'} may see this library"
    return None


def sources(root):
    for top in ("engine", "dkim", "control", "bench"):
        for suffix in ("*.h", "*.cpp"):
            yield from sorted((root / top).rglob(suffix))


def include_problems(root):
    problems = []
    for source in sources(root):
        path = source.relative_to(root).as_posix()
        module = module_of(path)
        for number, line in enumerate(source.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            ours, library = match.groups()
            if ours is None:
                why = library_problem(module, path, library)
            elif not (root / ours).exists() and not ours.startswith("control/"):  # control/ has generated headers
                why = "no such file from the root of the project"
            elif module in PURE and ours == "engine/base/asio.h" and path not in MAY_NAME_ASIO:
                why = f"{module} does no I/O"
            else:
                why = own_include_problem(module, ours)
            if why:
                problems.append(f"{path}:{number}: {ours or library}: {why}")
    return problems


def declared_modules(root):
    """{CMake target: (folder, [targets it links])} of every penguin_module."""
    found = {}
    for lists in root.rglob("CMakeLists.txt"):
        folder = lists.parent.relative_to(root).as_posix()
        if folder.split("/")[0] in ("build", "tests"):
            continue
        text = re.sub(r"#.*", "", lists.read_text())
        for name, body in re.findall(r"penguin_module\(\s*(\w+)([^)]*)\)", text):
            links = re.findall(r"\b(?:engine|control|dkim|bench)(?:::\w+)?\b(?![./\w])", body)
            found[name] = (folder, [link.replace("::", "_") for link in links])
    return found


def link_problems(root):
    modules = declared_modules(root)
    problems = []
    for name, (folder, links) in modules.items():
        module = module_of(folder + "/")
        for link in links:
            target = modules.get(link, (None,))[0]
            target_module = target and module_of(target + "/")
            only_a_header = any(name.startswith(f"{target_module}/") for name in allowed(module)) if module else False
            if module and target_module and target_module not in allowed(module) and not only_a_header:
                problems.append(f"{folder}/CMakeLists.txt: {name} links {link}: {module} may not see {target_module}")
    return problems


class Diagram(unittest.TestCase):
    def test_no_include_is_forbidden(self):
        self.assertEqual("", "\n".join(include_problems(ROOT)))

    def test_no_link_is_forbidden(self):
        self.assertEqual("", "\n".join(link_problems(ROOT)))

    def test_the_sources_are_found(self):
        self.assertGreater(len(list(sources(ROOT))), 30)
        self.assertIn("engine_base", declared_modules(ROOT))


class Checker(unittest.TestCase):
    """Each kind of forbidden include, planted in a small tree, is found."""

    def problems_of(self, path, include):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for other in ("engine/mail/content.h", "engine/dns/resolver.h", "engine/dns/cares_resolver.h", "control/db/pg_pool.h",
                          "control/daemon/config.h", "dkim/signer.h"):
                (root / other).parent.mkdir(parents=True, exist_ok=True)
                (root / other).write_text("")
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(f"// a file\n#include {include}\n")
            return include_problems(root)

    def test_forbidden(self):
        for path, include in [("engine/smtp/a.cpp", '"control/db/pg_pool.h"'),
                              ("engine/delivery/a.cpp", '"dkim/signer.h"'),
                              ("engine/delivery/a.cpp", "<libpq-fe.h>"),
                              ("engine/net/a.cpp", "<boost/beast/http.hpp>"),
                              ("engine/mail/a.cpp", "<boost/asio/steady_timer.hpp>"),
                              ("engine/mail/a.h", '"engine/dns/resolver.h"'),
                              ("control/api/a.cpp", "<opendkim/dkim.h>"),
                              ("control/api/a.cpp", '"control/daemon/config.h"'),
                              ("dkim/a.cpp", '"engine/dns/cares_resolver.h"'),
                              ("engine/mail/a.cpp", '"content.h"')]:
            with self.subTest(path=path, include=include):
                problems = self.problems_of(path, include)
                self.assertEqual(1, len(problems), problems)
                self.assertTrue(problems[0].startswith(f"{path}:2: "), problems)

    def test_allowed(self):
        for path, include in [("dkim/a.cpp", '"engine/dns/resolver.h"'),
                              ("dkim/a.cpp", "<opendkim/dkim.h>"),
                              ("control/db/a.cpp", "<libpq-fe.h>"),
                              ("control/api/a.cpp", '"control/db/pg_pool.h"'),
                              ("engine/smtp/a.cpp", '"engine/mail/content.h"'),
                              ("engine/net/a.cpp", "<boost/asio/ip/tcp.hpp>")]:
            with self.subTest(path=path, include=include):
                self.assertEqual([], self.problems_of(path, include))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
