"""Who may call what: one entry a method, and nothing runs without one."""

from collections.abc import Iterable, Mapping
from enum import Enum

from sangkien.rpc.principal import Principal
from sangkien.rpc.refusals import RoleMissing


class Access(Enum):
    """What a method asks of its caller besides roles."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"


PUBLIC = Access.PUBLIC
"""Anyone, without a token. `principal()` raises inside."""
AUTHENTICATED = Access.AUTHENTICATED
"""Anyone of this node with a valid token."""

Rule = Access | frozenset[str]


class PolicyError(Exception):
    """The policy and the methods served do not match, or an entry makes no sense. A server is not built on it."""


class Policy:
    """A closed table `"/package.Service/Method" → roles | PUBLIC | AUTHENTICATED`; any one of the roles suffices."""

    def __init__(self, rules: Mapping[str, Rule | Iterable[str]]) -> None:
        self._rules: dict[str, Rule] = {}
        for method, rule in rules.items():
            if not method.startswith("/") or method.count("/") != 2:
                raise PolicyError(f"{method!r} is no method: write /package.Service/Method")
            if isinstance(rule, str):
                raise PolicyError(f"{method}: the roles are the text {rule!r}: write a set of roles")
            kept: Rule = rule if isinstance(rule, Access) else frozenset(rule)
            if kept == frozenset():
                raise PolicyError(f"{method}: no role at all means that nobody may call it: leave the method out")
            self._rules[method] = kept

    def __or__(self, other: "Policy") -> "Policy":
        """Both tables. Raises `PolicyError` when they speak of the same method."""
        twice = self._rules.keys() & other._rules.keys()
        if twice:
            raise PolicyError(f"two policies speak of {', '.join(sorted(twice))}")
        return Policy({**self._rules, **other._rules})

    @property
    def methods(self) -> frozenset[str]:
        return frozenset(self._rules)

    def rule(self, method: str) -> Rule:
        return self._rules[method]

    def require_exactly(self, methods: Iterable[str]) -> None:
        """Raise `PolicyError` unless there is an entry for each of the methods, and for no other."""
        served = set(methods)
        missing, unknown = served - self.methods, self.methods - served
        if missing:
            raise PolicyError(f"no policy says who may call {', '.join(sorted(missing))}")
        if unknown:
            raise PolicyError(f"the policy names methods nobody serves: {', '.join(sorted(unknown))}")


def permit(rule: Rule, caller: Principal) -> None:
    """Raise `RoleMissing` unless the rule lets this verified caller in."""
    if isinstance(rule, frozenset) and rule.isdisjoint(caller.roles):
        raise RoleMissing(roles=", ".join(sorted(rule)))
