"""Draft a reward decision from names and a form."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.kernel import KeyReused, Refusal
from sangkien.kernel.numbering import register_id
from sangkien.reward.application.naming import names_of
from sangkien.reward.application.ports import Achievements, Commit, Decisions, Directory, Traces, World
from sangkien.reward.application.pricing import price
from sangkien.reward.domain.decision import RewardDecision
from sangkien.reward.domain.errors import (
    RecipientUnknown,
    RecipientWithoutInitiative,
    RewardKeyMalformed,
    RuleUnverified,
)
from sangkien.reward.domain.recipients import Recipient, check_recipients, chunks
from sangkien.rules import FormNotForHolder, UnknownForm, forms
from sangkien.store import Op
from sangkien.store.deciding import decided_again
from sangkien.text.catalogue import Lang, message

MOST_WARNINGS = 500
"""More than anybody reads; thousands would not fit into an answer."""
_LONGEST_KEY = 200
_LANGS: tuple[Lang, ...] = ("vi", "en")


@dataclass(frozen=True, slots=True)
class Draft:
    """A secretary's proposal. Names and a form, never counts or sums."""

    idempotency_key: str
    issuer_id: str
    suffix: str
    form: str
    recipients: tuple[Recipient, ...]
    occasion: str
    planned_on: date | None
    drafted_by: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a secretary should look at before submitting; `holder_id` is "" where it is about all."""

    holder_id: str
    warning: Refusal


@dataclass(frozen=True, slots=True)
class Drafted:
    """The draft's id and what is to be looked at: the first `MOST_WARNINGS` of `in_all`."""

    decision_id: str
    warnings: tuple[Warned, ...]
    in_all: int


class DraftDecision:
    """Stores each proposal once, whatever is doubtful about it, and says what is. Issue refuses what cannot stand."""

    def __init__(
        self,
        decisions: Decisions,
        achievements: Achievements,
        directory: Directory,
        world: World,
        traces: Traces,
        commit: Commit,
    ) -> None:
        self._decisions = decisions
        self._achievements = achievements
        self._directory = directory
        self._world = world
        self._traces = traces
        self._commit = commit

    async def __call__(self, draft: Draft) -> Drafted:
        """Raises KeyReused, UnknownForm, and what a list, an occasion or a register's suffix refuses."""
        if not 0 < len(draft.idempotency_key) <= _LONGEST_KEY or not draft.idempotency_key.isprintable():
            raise RewardKeyMalformed(field="idempotency_key", limit=_LONGEST_KEY)
        if draft.form not in forms():
            raise UnknownForm(field="form", known=", ".join(forms()))
        check_recipients(draft.recipients)
        on = draft.planned_on or self._world.today()
        register_id(draft.issuer_id, draft.suffix, on.year)
        decision_id = await decided_again(lambda: self._draft(draft))
        warnings = sorted(await self._warnings(draft, on), key=lambda warned: warned.holder_id != "")
        return Drafted(decision_id, tuple(warnings[:MOST_WARNINGS]), len(warnings))

    async def _draft(self, draft: Draft) -> str:
        fingerprint = _fingerprint(draft)
        known = await self._decisions.by_key(draft.idempotency_key)
        if known is not None:
            if known.fingerprint != fingerprint:
                raise KeyReused(field="idempotency_key")
            return known.id
        individuals = sum(each.holder == "individual" for each in draft.recipients)
        decision = RewardDecision(
            id=self._world.new_id(),
            issuer_id=draft.issuer_id,
            suffix=draft.suffix,
            form=draft.form,
            occasion=draft.occasion,
            individuals=individuals,
            collectives=len(draft.recipients) - individuals,
            drafted_by=draft.drafted_by,
            idempotency_key=draft.idempotency_key,
            fingerprint=fingerprint,
            traceparent=self._traces.traceparent(),
        )
        decision.check()
        ops: list[Op] = [self._decisions.save(decision)]
        ops += [self._decisions.save_chunk(chunk) for chunk in chunks(decision.id, draft.recipients)]
        await self._commit(ops)
        return decision.id

    async def _warnings(self, draft: Draft, on: date) -> list[Warned]:
        warnings = _about_rules(draft.form, draft.recipients, on)
        names = await names_of(self._directory, draft.recipients)
        people = [each.holder_id for each in draft.recipients if each.holder == "individual"]
        achieved = await self._achievements.traces(people)
        for recipient in draft.recipients:
            if recipient.holder_id not in names:
                warnings.append(Warned(recipient.holder_id, RecipientUnknown(field="recipients")))
            elif recipient.holder == "individual" and recipient.holder_id not in achieved:
                warnings.append(Warned(recipient.holder_id, RecipientWithoutInitiative(field="recipients")))
        return warnings


def _about_rules(form: str, recipients: Sequence[Recipient], on: date) -> list[Warned]:
    warnings: list[Warned] = []
    doubts: dict[str, None] = {}
    for holder in sorted({each.holder for each in recipients}):
        try:
            doubts |= dict.fromkeys(price(form, holder, on).unverified)
        except FormNotForHolder as refusal:
            warnings += [Warned(each.holder_id, refusal) for each in recipients if each.holder == holder]
        except Refusal as refusal:
            if refusal.code not in {each.warning.code for each in warnings}:
                warnings.append(Warned("", refusal))
    if doubts:
        in_words = {lang: "; ".join(message(f"unverified.{part}", lang=lang) for part in doubts) for lang in _LANGS}
        warnings.append(Warned("", RuleUnverified(field="form", parts_vi=in_words["vi"], parts_en=in_words["en"])))
    return warnings


def _fingerprint(draft: Draft) -> str:
    """What the key stands for: SHA-256 of what was asked."""
    head = [draft.issuer_id, draft.suffix, draft.form, draft.occasion, draft.drafted_by]
    people = [[each.holder, each.holder_id] for each in draft.recipients]
    return hashlib.sha256(json.dumps([head, people]).encode()).hexdigest()
