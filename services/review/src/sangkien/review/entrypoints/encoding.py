"""What use cases answer, as messages."""

from collections.abc import Iterable, Sequence

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.kernel import Refusal
from sangkien.review.application.ports import Counts, Outcome
from sangkien.review.application.read_cases import Viewer
from sangkien.review.domain.case import Case
from sangkien.review.domain.round import Round
from sangkien.rpc import item_error


def results(dossier_ids: Iterable[str], outcomes: Sequence[Outcome]) -> list[pb.ItemResult]:
    """One result an item, in order."""
    return [_result(id, outcome) for id, outcome in zip(dossier_ids, outcomes, strict=True)]


def _result(dossier_id: str, outcome: Outcome) -> pb.ItemResult:
    if isinstance(outcome, Refusal):
        return pb.ItemResult(dossier_id=dossier_id, error=item_error(outcome))
    return pb.ItemResult(dossier_id=dossier_id, already=outcome is not None)


def case_message(case: Case, viewer: Viewer) -> pb.Case:
    """A case as the viewer may see it: whoever still owes a sheet does not see what the others thought."""
    message = pb.Case(
        dossier_id=case.id,
        version=case.version,
        state=case.state.value,
        round_id=case.round_id,
        title=case.facts.title,
        field=case.facts.field,
        unit_id=case.facts.unit_id,
        reviewer_ids=case.reviewers,
        author_ids=case.author_ids,
    )
    if viewer.sees_score(case):
        message.sheets = len(case.handed_in)
        message.mean_score_tenths = case.score.mean_tenths if case.score else 0
    if case.vote is not None:
        message.outcome = "passed" if case.vote.passed else "failed"
    return message


def round_message(one: Round, counts: Counts) -> pb.Round:
    return pb.Round(
        round_id=one.id,
        council_id=one.council_id,
        name=one.name,
        group=one.group,
        tier=one.tier,
        opens_on=one.opens_on.isoformat(),
        closes_on=one.closes_on.isoformat(),
        state=one.state.value,
        cases=counts.states,
        passed=counts.passed,
        failed=counts.failed,
    )
