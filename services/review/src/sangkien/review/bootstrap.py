"""Review put together."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sangkien.api.review.v1 import review_pb2_grpc
from sangkien.chassis import Context, Definition, DirectoryLookup, Parts
from sangkien.kernel import Refusal
from sangkien.store import StoreError

from .adapters.directory_names import DirectoryNames
from .adapters.minutes_pdf import MinutesTypesetter
from .adapters.records import StoreLists, StoreRecords
from .adapters.rulebook import DatedRulebook
from .adapters.schema import SCHEMA
from .adapters.units import StoreUnits
from .application.assign_reviewers import AssignmentOfReviewers
from .application.cast_ballots import Balloting
from .application.check_dossiers import FormalCheck
from .application.close_round import RoundClosing
from .application.close_session import SessionClosing
from .application.create_council import CouncilCreation
from .application.declare_conflicts import ConflictDeclaration
from .application.follow_intake import Following
from .application.open_round import RoundOpening
from .application.open_session import SessionOpening
from .application.read_cases import Reading
from .application.reform_council import CouncilReform
from .application.render_minutes import MinutesRendering
from .application.submit_sheets import SheetSubmission
from .entrypoints.grpc_service import POLICY, ReviewServicer, UseCases
from .entrypoints.messages import subscription
from .settings import ReviewSettings

_RESUME_S = 60.0

_log = structlog.get_logger("sangkien.review")


def build(context: Context) -> Parts:
    """Wire the use cases to the service's store, rules and neighbours."""
    settings = context.settings
    if not isinstance(settings, ReviewSettings):
        raise TypeError("review is built from ReviewSettings")
    records = StoreRecords(context.store)
    units = StoreUnits(context.commit, context.telemetry, now=context.now, new_id=context.new_id)
    rules = DatedRulebook()
    names = DirectoryNames(DirectoryLookup(context.channel(settings.directory)))
    closing = SessionClosing(records, units, context)
    use = UseCases(
        create_council=CouncilCreation(records, units, rules, context),
        reform_council=CouncilReform(records, units, rules, context),
        open_round=RoundOpening(records, units, context),
        close_round=RoundClosing(records, units, context),
        check=FormalCheck(records, units, rules, context),
        declare=ConflictDeclaration(records, units, rules, context),
        assign=AssignmentOfReviewers(records, units, rules, context),
        submit=SheetSubmission(records, units, rules, context),
        open_session=SessionOpening(records, units, rules, context),
        cast=Balloting(records, units),
        close_session=closing,
        minutes=MinutesRendering(records, names, MinutesTypesetter(settings.place)),
        read=Reading(records, StoreLists(context.store)),
    )
    return Parts(
        servicers=[
            (
                review_pb2_grpc.add_ReviewServiceServicer_to_server,
                ReviewServicer(use, jurisdiction=settings.jurisdiction),
            )
        ],
        policy=POLICY,
        subscriptions=[subscription(Following(records), units.operations)],
        background=[_finishing(closing.resume)],
    )


def _finishing(resume: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A loop that ends sessions whose counting was cut off, by a kill or by a caller who went away."""

    async def finish() -> None:
        while True:
            try:
                await resume()
            except (Refusal, StoreError) as error:
                _log.warning("counting_not_resumed", error_type=type(error).__name__)
            await asyncio.sleep(_RESUME_S)

    return finish


SERVICE = Definition("review", ReviewSettings, SCHEMA, build)
