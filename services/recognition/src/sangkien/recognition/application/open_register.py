"""Open a year's number register."""

from dataclasses import dataclass

from sangkien.kernel.numbering import NumberRegister, register_id
from sangkien.recognition.application.ports import Caller, Commit, Registers
from sangkien.recognition.domain.errors import NotTheIssuer
from sangkien.store.deciding import decided_again


@dataclass(frozen=True, slots=True)
class Opening:
    """`last_number` is the last one used on paper, 0 for none."""

    issuer_id: str
    suffix: str
    year: int
    last_number: int


class OpenRegister:
    """Opens each register once."""

    def __init__(self, registers: Registers, commit: Commit) -> None:
        self._registers = registers
        self._commit = commit

    async def __call__(self, command: Opening, caller: Caller) -> str:
        """The register's id; the same facts again answer it again.

        Raises NotTheIssuer and what NumberRegister refuses.
        """
        if caller.organisation != command.issuer_id:
            raise NotTheIssuer(field="issuer_id")
        return await decided_again(lambda: self._open(command))

    async def _open(self, command: Opening) -> str:
        known = await self._registers.get(register_id(command.issuer_id, command.suffix, command.year))
        if known is not None:
            known.confirm_opened_at(command.last_number)
            return known.id
        opened = NumberRegister.open(command.issuer_id, command.suffix, command.year, command.last_number)
        await self._commit([self._registers.stored(opened)])
        return opened.id
