"""Who may know of a dossier, and who may read the names in it (DESIGN §9)."""

from collections.abc import Sequence
from typing import Final

from sangkien.intake.application.ports import Caller
from sangkien.intake.domain.dossier import Dossier

EVERYTHING: Final = frozenset({"secretary", "leader", "operator", "service"})
_NAMES: Final = frozenset({"secretary", "leader"})


def may_see(caller: Caller, dossier: Dossier) -> bool:
    """Authors see their own, union officers those of their unit and those they filed, secretaries all."""
    if caller.roles & EVERYTHING:
        return True
    if caller.person_id and caller.person_id in (dossier.filed_by, *dossier.author_ids):
        return True
    return "union_officer" in caller.roles and bool(caller.organisation) and caller.organisation == dossier.unit_id


def may_judge(caller: Caller, dossier: Dossier) -> bool:
    """Whether review is to be asked: a member of a council here, and a dossier that a council here decides."""
    return "council_member" in caller.roles and bool(caller.person_id) and not dossier.competent_node


def may_read_names(caller: Caller, dossier: Dossier) -> bool:
    """Services and operators learn ids only: they need no names, and directory answers those who do.

    Exchange carries a dossier to the node whose council decides, names and all; no other dossier is its business.
    """
    if caller.service and dossier.competent_node:
        return True
    if not caller.roles & EVERYTHING:
        return may_see(caller, dossier)
    return bool(caller.roles & _NAMES) or caller.person_id in (dossier.filed_by, *dossier.author_ids)


def streams(caller: Caller) -> Sequence[dict[str, object]]:
    """The conditions whose union is what an officer may list; one empty condition is everything."""
    if caller.roles & EVERYTHING:
        return [{}]
    mine: list[dict[str, object]] = [{"filed_by": caller.person_id}] if caller.person_id else []
    if "union_officer" in caller.roles and caller.organisation:
        mine.append({"unit_id": caller.organisation})
    return mine
