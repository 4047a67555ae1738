"""Open a year's number register."""

from dataclasses import dataclass

from sangkien.kernel import Refusal
from sangkien.kernel.numbering import NumberRegister, register_id
from sangkien.recognition.application.ports import Caller, Commit, Registers
from sangkien.recognition.domain.errors import NotTheIssuer
from sangkien.store.deciding import ALREADY, Decision, decide_each


@dataclass(frozen=True, slots=True)
class OpenRegister:
    """`last_number` is the last one used on paper, 0 for none."""

    issuer_id: str
    suffix: str
    year: int
    last_number: int


class OpensRegisters:
    """Opens each register once."""

    def __init__(self, registers: Registers, commit: Commit) -> None:
        self._registers = registers
        self._commit = commit

    async def __call__(self, command: OpenRegister, caller: Caller) -> str:
        """The register's id; the same facts again answer it again.

        Raises NotTheIssuer and what NumberRegister refuses.
        """
        if caller.organisation != command.issuer_id:
            raise NotTheIssuer(field="issuer_id")
        id = register_id(command.issuer_id, command.suffix, command.year)

        async def decide(_: object) -> list[Decision]:
            register = await self._registers.get(id)
            if register is not None:
                register.confirm_opened_at(command.last_number)
                return [ALREADY]
            opened = NumberRegister.open(command.issuer_id, command.suffix, command.year, command.last_number)
            return [[self._registers.stored(opened)]]

        (outcome,) = await decide_each([command], decide, self._commit)
        if isinstance(outcome, Refusal):
            raise outcome
        return id
