"""What the architecture tests look at: every source file, parsed once."""

import ast
from pathlib import Path

import pytest

Trees = dict[str, ast.Module]


def parse(root: Path, files: list[Path]) -> Trees:
    return {
        str(path.relative_to(root)): ast.parse(path.read_text("utf-8"), str(path))
        for path in sorted(files)
        if "sangkien/api" not in str(path)  # generated from proto/
    }


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def sources(root: Path) -> Trees:
    """Path below the root → syntax tree, of every module of every package."""
    return parse(root, [*root.glob("libs/*/src/**/*.py"), *root.glob("services/*/src/**/*.py")])


@pytest.fixture(scope="session")
def code_beside_tests(root: Path) -> Trees:
    """The same of every file beside the tests, conftest and helpers included."""
    return parse(
        root, [*root.glob("libs/*/tests/**/*.py"), *root.glob("services/*/tests/**/*.py"), *root.glob("tests/**/*.py")]
    )
