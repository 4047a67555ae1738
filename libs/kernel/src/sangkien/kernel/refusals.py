"""Typed refusals: how a domain says no."""

from typing import ClassVar, Literal

Kind = Literal["invalid", "not_found", "conflict", "forbidden", "precondition", "exhausted"]


class Refusal(Exception):
    """Base of every error a domain raises on purpose.

    `code` is a stable snake_case word, unique over the whole system; the text catalogue and API clients key on it.
    `kind` decides how the edge reports it (the gRPC status, and whether a message is retried). `field` names the
    input at fault, "" when none is. `facts` fill the placeholders of the text: they travel in logs and error
    metadata, so they hold no personal data, nor raw input that may turn out to be a name.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]

    def __init__(self, *, field: str = "", **facts: str | int) -> None:
        super().__init__()
        self.field = field
        self.facts = facts

    def __str__(self) -> str:
        return " ".join(
            [self.code, *([self.field] if self.field else []), *(f"{k}={v}" for k, v in self.facts.items())]
        )


class KeyReused(Refusal):
    """An idempotency key came again with another request than the one it was first used for. Nothing was written."""

    code = "key_reused"
    kind = "conflict"
