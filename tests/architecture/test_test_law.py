"""The law of docs/testing.md, as far as a machine can judge it."""

import ast
import re
from collections.abc import Iterator

MOCKS = {"MagicMock", "AsyncMock", "Mock", "TestNatsBroker", "create_autospec", "mocker"}
CLOCKS = {"time.time", "time.monotonic", "time.perf_counter", "time.perf_counter_ns", "time.monotonic_ns"}
SKIPS = {
    "pytest.skip",
    "pytest.importorskip",
    "pytest.xfail",
    "pytest.mark.skip",
    "pytest.mark.skipif",
    "pytest.mark.xfail",
}
PATCHES_PER_1000_LINES = 2

Function = ast.FunctionDef | ast.AsyncFunctionDef


def dotted(node: ast.AST) -> str:
    """`pytest.mark.skip` of the expression that says so, "" of any other."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def cases_of(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function) and node.name.startswith("test_"))


def asserts_something(function: Function) -> bool:
    """Whether it holds an assertion that can fail: a non-constant assert, an expected error, a named check."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in {"pytest.raises", "pytest.fail", "pytest.warns"}:
                return True
            if re.match(r"_*(assert|check|expect|verify|eventually)", name.rpartition(".")[2]):
                return True
    return False


def uses_of(tree: ast.Module, names: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = dotted(node)
            if name in names:
                yield node.lineno, name


def sleeps_in(tree: ast.Module) -> Iterator[int]:
    """Lines that wait for time to pass. `asyncio.sleep(0)` only lets others run."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in {"time.sleep", "asyncio.sleep"}:
            yields = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            if not yields:
                yield node.lineno


def test_every_test_asserts_something_that_can_fail(code_beside_tests: dict[str, ast.Module]) -> None:
    empty = [
        f"{path}:{function.lineno} {function.name}"
        for path, tree in code_beside_tests.items()
        for function in cases_of(tree)
        if not asserts_something(function)
    ]
    assert empty == []


def test_test_names_say_thing_and_behaviour(code_beside_tests: dict[str, ast.Module]) -> None:
    unclear = [
        f"{path}:{function.lineno} {function.name}"
        for path, tree in code_beside_tests.items()
        for function in cases_of(tree)
        if not re.fullmatch(r"test(_[a-z0-9]+){2,}", function.name)
    ]
    assert unclear == []


def test_no_mock_stands_in_for_a_real_part(code_beside_tests: dict[str, ast.Module]) -> None:
    assert [
        f"{path}:{line} {name}" for path, tree in code_beside_tests.items() for line, name in uses_of(tree, MOCKS)
    ] == []


def test_patches_stay_within_the_budget(code_beside_tests: dict[str, ast.Module]) -> None:
    patches = [
        f"{path}:{line}"
        for path, tree in code_beside_tests.items()
        for line, _ in uses_of(tree, {"monkeypatch.setattr"})
    ]
    lines = sum(node.end_lineno or 0 for tree in code_beside_tests.values() for node in tree.body[-1:])
    assert len(patches) * 1000 <= lines * PATCHES_PER_1000_LINES, patches


def test_no_test_is_skipped(code_beside_tests: dict[str, ast.Module]) -> None:
    assert [
        f"{path}:{line} {name}" for path, tree in code_beside_tests.items() for line, name in uses_of(tree, SKIPS)
    ] == []


def test_no_test_sleeps_or_reads_a_clock(code_beside_tests: dict[str, ast.Module]) -> None:
    clocks = [
        f"{path}:{line} {name}" for path, tree in code_beside_tests.items() for line, name in uses_of(tree, CLOCKS)
    ]
    sleeps = [f"{path}:{line} sleep" for path, tree in code_beside_tests.items() for line in sleeps_in(tree)]
    assert clocks + sleeps == []
