"""A domain decides from what it is given: no clock, no chance, no input or output (DESIGN §3)."""

import ast
import sys

IMPURE_MODULES = {
    "asyncio", "concurrent", "ctypes", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets",
    "shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
IMPURE_METHODS = {"now", "today", "utcnow"}
IMPURE_FUNCTIONS = {"input", "open", "print"}


def is_domain(path: str) -> bool:
    inner = path.split("/src/sangkien/", 1)[1]
    return inner.startswith("kernel/") or inner.split("/")[1].removesuffix(".py") == "domain"


def own_package(path: str) -> str:
    return f"sangkien.{path.split('/src/sangkien/', 1)[1].partition('/')[0]}"


def foreign_imports(path: str, tree: ast.Module) -> list[str]:
    """Every import that is neither the pure standard library, nor kernel, nor the same domain."""
    own = own_package(path)
    allowed = ("sangkien.kernel", own if own == "sangkien.kernel" else f"{own}.domain")
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            pure = top in sys.stdlib_module_names and top not in IMPURE_MODULES
            if not pure and not name.startswith(allowed):
                found.append(f"{path}:{node.lineno} imports {name}")
    return found


def impure_calls(path: str, tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in IMPURE_METHODS:
                found.append(f"{path}:{node.lineno} calls {called.attr}")
            if isinstance(called, ast.Name) and called.id in IMPURE_FUNCTIONS:
                found.append(f"{path}:{node.lineno} calls {called.id}")
    return found


def test_impurity_is_seen() -> None:
    path = "services/review/src/sangkien/review/domain/session.py"
    planted = (
        "import uuid\nfrom sangkien.review.application import ports\nfrom datetime import date\ndate.today()\nopen('x')"
    )
    tree = ast.parse(planted)
    assert foreign_imports(path, tree) == [f"{path}:1 imports uuid", f"{path}:2 imports sangkien.review.application"]
    assert impure_calls(path, tree) == [f"{path}:4 calls today", f"{path}:5 calls open"]


def test_domains_import_the_standard_library_and_kernel_only(sources: dict[str, ast.Module]) -> None:
    domains = {path: tree for path, tree in sources.items() if is_domain(path)}
    assert [found for path, tree in domains.items() for found in foreign_imports(path, tree)] == []


def test_domains_read_no_clock_and_touch_no_file(sources: dict[str, ast.Module]) -> None:
    domains = {path: tree for path, tree in sources.items() if is_domain(path)}
    assert [found for path, tree in domains.items() for found in impure_calls(path, tree)] == []
