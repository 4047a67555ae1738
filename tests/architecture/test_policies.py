"""Every call somebody can make has exactly one rule that says who may make it."""

import ast
import importlib
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf.descriptor import FileDescriptor

from sangkien.rpc import Policy


def module_name(path: str) -> str:
    return path.split("/src/", 1)[1].removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def methods_of(file: FileDescriptor) -> set[str]:
    """`/package.Service/Method` of every method the proto file declares."""
    return {
        f"/{service.full_name}/{method.name}"
        for service in file.services_by_name.values()
        for method in service.methods
    }


@pytest.fixture(scope="module")
def declared(root: Path) -> set[str]:
    """Methods of every proto package whose service is there to serve them."""
    files = root.glob("libs/contracts/src/sangkien/api/*/v*/*_pb2.py")
    modules = [importlib.import_module(module_name(str(file))) for file in files]
    served = {path.parent.name for path in root.glob("services/*/src/sangkien/*/entrypoints*")}
    served |= {"ops"} if served else set()  # every service serves it
    return {
        method
        for module in modules
        if module.DESCRIPTOR.package.split(".")[2] in served
        for method in methods_of(module.DESCRIPTOR)
    }


@pytest.fixture(scope="module")
def policies(sources: dict[str, ast.Module]) -> list[Policy]:
    """Every policy that is a module's constant, once."""
    modules = [importlib.import_module(module_name(path)) for path in sources if not path.endswith("__main__.py")]
    return list(
        {
            id(value): value for module in modules for value in vars(module).values() if isinstance(value, Policy)
        }.values()
    )


def test_every_method_has_exactly_one_rule(declared: set[str], policies: list[Policy]) -> None:
    ruled = Counter(method for policy in policies for method in policy.methods)
    assert {method: ruled[method] for method in declared | ruled.keys() if ruled[method] != 1} == {}
    assert ruled.keys() == declared
