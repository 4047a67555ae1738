"""Nothing grows beyond what a reader takes in at once. Lines are lines of code: no blanks, comments, docstrings."""

import ast
from collections.abc import Iterator

FILE_LINES = 300
TEST_FILE_LINES = 500
FUNCTION_LINES = 50

Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def lines_of(tree: ast.AST) -> set[int]:
    """The numbers of the lines that hold code: where a statement's own parts stand, its body apart."""
    lines: set[int] = set()
    stack = [tree]
    while stack:
        node = stack.pop()
        if is_docstring(node):
            continue
        if isinstance(node, ast.expr | ast.alias | ast.arg | ast.keyword | ast.pattern):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            continue
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            lines.add(node.lineno)
        stack.extend(ast.iter_child_nodes(node))
    return lines


def functions_of(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


SAMPLE = '''"""A docstring
of two lines."""

# a comment
def add(
    a: int,
) -> int:
    """Another."""

    return (
        a
    )
'''


def test_code_line_is_one_that_holds_code() -> None:
    assert lines_of(ast.parse(SAMPLE)) == {5, 6, 7, 10, 11}


def test_source_files_stay_within_the_budget(sources: dict[str, ast.Module]) -> None:
    assert {path: n for path, tree in sources.items() if (n := len(lines_of(tree))) > FILE_LINES} == {}


def test_test_files_stay_within_the_budget(code_beside_tests: dict[str, ast.Module]) -> None:
    assert {path: n for path, tree in code_beside_tests.items() if (n := len(lines_of(tree))) > TEST_FILE_LINES} == {}


def test_functions_stay_within_the_budget(
    sources: dict[str, ast.Module], code_beside_tests: dict[str, ast.Module]
) -> None:
    too_long = {
        f"{path}:{function.lineno} {function.name}": n
        for path, tree in (sources | code_beside_tests).items()
        for function in functions_of(tree)
        if (n := len(lines_of(function))) > FUNCTION_LINES
    }
    assert too_long == {}
