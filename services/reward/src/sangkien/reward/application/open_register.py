"""Open a year's number register of an issuer."""

from dataclasses import dataclass

from sangkien.kernel.numbering import NumberRegister, register_id
from sangkien.reward.application.ports import Commit, Decisions
from sangkien.store.deciding import decided_again


@dataclass(frozen=True, slots=True)
class Opening:
    """Whose register, and the last number already used on paper."""

    issuer_id: str
    suffix: str
    year: int
    last_number: int


class OpenRegister:
    """Opens each register once; asked again with the same facts it answers the same."""

    def __init__(self, decisions: Decisions, commit: Commit) -> None:
        self._decisions = decisions
        self._commit = commit

    async def __call__(self, asked: Opening) -> str:
        """Return the register's id. Raises what the register refuses."""
        return await decided_again(lambda: self._open(asked))

    async def _open(self, asked: Opening) -> str:
        known = await self._decisions.register(register_id(asked.issuer_id, asked.suffix, asked.year))
        if known is not None:
            known.confirm_opened_at(asked.last_number)
            return known.id
        register = NumberRegister.open(asked.issuer_id, asked.suffix, asked.year, asked.last_number)
        await self._commit([self._decisions.save_register(register)])
        return register.id
