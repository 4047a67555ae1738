"""The composition root of review."""

from functools import partial
from typing import cast

from sangkien.api.review.v1 import review_pb2_grpc
from sangkien.chassis import Context, Definition, DirectoryLookup, Parts
from sangkien.review.adapters.directory_names import DirectoryNames
from sangkien.review.adapters.minutes_pdf import MinutesTypesetter
from sangkien.review.adapters.records import StoreLists, StoreRecords
from sangkien.review.adapters.rulebook import DatedRulebook
from sangkien.review.adapters.schema import SCHEMA
from sangkien.review.adapters.units import StoreUnits
from sangkien.review.application.assign_reviewers import AssignReviewers
from sangkien.review.application.cast_ballots import CastBallots
from sangkien.review.application.check_dossiers import CheckDossiers
from sangkien.review.application.close_round import CloseRound
from sangkien.review.application.close_session import CloseSession
from sangkien.review.application.create_council import CreateCouncil
from sangkien.review.application.declare_conflicts import DeclareConflicts
from sangkien.review.application.follow_intake import FollowIntake
from sangkien.review.application.open_round import OpenRound
from sangkien.review.application.open_session import OpenSession
from sangkien.review.application.read_cases import ReadCases
from sangkien.review.application.reform_council import ReformCouncil
from sangkien.review.application.render_minutes import RenderMinutes
from sangkien.review.application.submit_sheets import SubmitSheets
from sangkien.review.entrypoints.background import finish_counting
from sangkien.review.entrypoints.grpc_service import POLICY, ReviewServicer, UseCases
from sangkien.review.entrypoints.messages import subscription
from sangkien.review.settings import ReviewSettings


def build(context: Context) -> Parts:
    settings = cast("ReviewSettings", context.settings)
    records = StoreRecords(context.store)
    units = StoreUnits(context.commit, context.telemetry, now=context.now, new_id=context.new_id)
    rules = DatedRulebook()
    names = DirectoryNames(DirectoryLookup(context.channel(settings.directory)))
    closing = CloseSession(records, units, context)
    use = UseCases(
        create_council=CreateCouncil(records, units, rules, context),
        reform_council=ReformCouncil(records, units, rules, context),
        open_round=OpenRound(records, units, context),
        close_round=CloseRound(records, units, context),
        check=CheckDossiers(records, units, rules, context),
        declare=DeclareConflicts(records, units, rules, context),
        assign=AssignReviewers(records, units, rules, context),
        submit=SubmitSheets(records, units, rules, context),
        open_session=OpenSession(records, units, rules, context),
        cast=CastBallots(records, units),
        close_session=closing,
        minutes=RenderMinutes(records, names, MinutesTypesetter(settings.place)),
        read=ReadCases(records, StoreLists(context.store), context),
    )
    return Parts(
        servicers=[
            (
                review_pb2_grpc.add_ReviewServiceServicer_to_server,
                ReviewServicer(use, jurisdiction=settings.jurisdiction),
            )
        ],
        policy=POLICY,
        subscriptions=[subscription(FollowIntake(records), units.operations)],
        background=[partial(finish_counting, closing)],
    )


SERVICE = Definition("review", ReviewSettings, SCHEMA, build)
