"""The names of a list of recipients, as directory has them."""

from collections.abc import Sequence

from sangkien.reward.application.ports import Directory
from sangkien.reward.domain.recipients import Named, Recipient


async def names_of(directory: Directory, recipients: Sequence[Recipient]) -> dict[str, Named]:
    """Names by id; recipients that directory does not know, as their kind, are left out."""
    people = await directory.people([each.holder_id for each in recipients if each.holder == "individual"])
    units = await directory.organisations([each.holder_id for each in recipients if each.holder == "collective"])
    return {**people, **{id: Named(unit.name, "") for id, unit in units.items()}}
