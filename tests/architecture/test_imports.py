"""A module does nothing when imported, and a package uses only what it declares."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

# Imports every module of the workspace without environment, network, child process or thread of its own.
PROBE = """
import importlib, json, sys, threading

FORBIDDEN = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn", "os.fork"}

def refuse(event, args):
    if event in FORBIDDEN:
        raise RuntimeError(event)

sys.addaudithook(refuse)
failures = {}
for name in json.load(sys.stdin):
    try:
        importlib.import_module(name)
    except BaseException as error:
        failures[name] = f"{type(error).__name__}: {error}"
    if threading.active_count() > 1:
        failures.setdefault(name, "started a thread")
json.dump(failures, sys.stdout)
"""


def module_name(path: str) -> str:
    """`libs/kernel/src/sangkien/kernel/money.py` → `sangkien.kernel.money`."""
    return ".".join(Path(path.split("/src/", 1)[1]).with_suffix("").parts).removesuffix(".__init__")


def needed_distributions(tree: ast.Module, owners: Mapping[str, Sequence[str]]) -> Iterator[set[str]]:
    """For every import the distributions that would serve it; none for the standard library and relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            top, _, rest = module.partition(".")
            if top == "sangkien":
                package = rest.partition(".")[0]
                yield {"sangkien-contracts" if package == "api" else f"sangkien-{package}"}
            elif top in owners:
                yield {normal_name(owner) for owner in owners[top]}


def declared_dependencies(project: Path) -> set[str]:
    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return {normal_name(re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]) for requirement in declared}


def normal_name(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_every_module_imports_without_environment_or_network(sources: dict[str, ast.Module], root: Path) -> None:
    generated = sorted(str(path.relative_to(root)) for path in root.glob("libs/contracts/src/sangkien/api/**/*.py"))
    names = [module_name(path) for path in [*sources, *generated]]
    answer = subprocess.run(
        [sys.executable, "-I", "-c", PROBE], input=json.dumps(names), capture_output=True, text=True, env={}, check=True
    )
    assert json.loads(answer.stdout) == {}


def test_packages_import_only_what_they_declare(sources: dict[str, ast.Module], root: Path) -> None:
    owners = packages_distributions()
    undeclared = set()
    for path, tree in sources.items():
        project = root / path.split("/src/", 1)[0]
        declared = declared_dependencies(project) | {f"sangkien-{project.name}"}
        undeclared |= {
            f"{project.name}: {' or '.join(sorted(needed))}"
            for needed in needed_distributions(tree, owners)
            if not needed & declared
        }
    assert sorted(undeclared) == []


def test_namespace_packages_have_no_init_file(root: Path) -> None:
    namespaces = [
        *root.glob("*/*/src/sangkien/__init__.py"),
        *root.glob("libs/contracts/src/sangkien/api/**/__init__.py"),
    ]
    assert namespaces == []


def test_every_package_is_known_to_the_type_checker(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    members = sorted(str(path.parent.relative_to(root)) for path in root.glob("*/*/pyproject.toml"))
    assert sorted(settings["tool"]["mypy"]["mypy_path"]) == ["bench", *(f"{member}/src" for member in members)]
