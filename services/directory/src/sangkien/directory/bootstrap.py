"""The composition root of directory."""

import time
from collections.abc import Iterable
from typing import cast

from joserfc.jwk import KeySet

from sangkien.api.directory.v1.directory_pb2_grpc import add_DirectoryServiceServicer_to_server
from sangkien.api.directory.v1.links_pb2_grpc import add_LinkServiceServicer_to_server
from sangkien.chassis import Context, Definition, Parts
from sangkien.contracts.topology import TOPOLOGY
from sangkien.directory.adapters import account_store, asserted_store, link_store, organisation_store, person_store
from sangkien.directory.adapters.event_mapping import EventRecorder
from sangkien.directory.adapters.passwords import Argon2Passwords
from sangkien.directory.adapters.signing_key import signing_key
from sangkien.directory.application.decide_link import DecideLink
from sangkien.directory.application.follow_nodes import FollowNodes
from sangkien.directory.application.grant_roles import GrantRoles
from sangkien.directory.application.hear_link import HearLink
from sangkien.directory.application.issue_service_token import IssueServiceToken
from sangkien.directory.application.propose_link import ProposeLink
from sangkien.directory.application.register_organisations import RegisterOrganisations
from sangkien.directory.application.register_people import RegisterPeople
from sangkien.directory.application.reorganise import Reorganise
from sangkien.directory.application.resolve_units import ResolveUnits
from sangkien.directory.application.set_password import SetPassword
from sangkien.directory.application.sign_in import SignIn
from sangkien.directory.entrypoints.grpc_service import POLICY, DirectoryServicer, UseCases
from sangkien.directory.entrypoints.links_grpc_service import LINK_POLICY, LinkServicer, LinkUseCases
from sangkien.directory.entrypoints.messages import ExchangeHandler
from sangkien.directory.settings import DirectorySettings
from sangkien.messaging import Subscription
from sangkien.rpc import TokenMinter, TokenVerifier, public_keys, service_subject


def build(context: Context) -> Parts:
    """Raises SigningKeyUnusable when the key file holds something else."""
    settings = cast("DirectorySettings", context.settings)
    key = signing_key(settings.signing_key_path)
    keys = public_keys([key])
    minter = TokenMinter(settings.node, key)

    async def own_keys() -> KeySet:
        return KeySet([key])

    organisations = organisation_store.StoredOrganisations(context.store)
    asserted = asserted_store.StoredAsserted(context.store)
    people = person_store.StoredPeople(context.store)
    accounts = account_store.StoredAccounts(context.store)
    passwords = Argon2Passwords()
    commit = context.commit
    record = EventRecorder(context.new_id, context.now, context.telemetry.traceparent)
    units = ResolveUnits(organisations, shared=not context.store.exclusive, monotonic=time.monotonic)
    use_cases = UseCases(
        organisations,
        asserted,
        people,
        Reorganise(organisations, asserted, commit, record, units.learn),
        RegisterOrganisations(organisations, commit, record, context.new_global_id, units.learn),
        RegisterPeople(people, organisations, commit, record, context.new_global_id, context.today),
        units,
        GrantRoles(people, organisations, commit, context.today),
        SetPassword(people, accounts, passwords, commit),
        SignIn(
            people,
            accounts,
            passwords,
            minter.mint,
            commit,
            now=context.now,
            today=context.today,
            lifetime=settings.token_life,
        ),
        _service_tokens(settings, minter, context),
    )
    links = _links(context, organisations, asserted, people, record)
    follow = ExchangeHandler(FollowNodes(asserted, node=context.node))
    return Parts(
        servicers=[
            (add_DirectoryServiceServicer_to_server, DirectoryServicer(use_cases, keys)),
            (add_LinkServiceServicer_to_server, LinkServicer(links)),
        ],
        policy=POLICY | LINK_POLICY,
        subscriptions=[Subscription(TOPOLOGY.consumer("directory__exchange"), follow)],
        open=[units.load],
        verifier=TokenVerifier(settings.node, own_keys),
    )


def _service_tokens(settings: DirectorySettings, minter: TokenMinter, context: Context) -> IssueServiceToken:
    def mint(service: str, roles: Iterable[str], organisation: str, ttl: float) -> str:
        return minter.mint(service_subject(service), roles, organisation, ttl)

    return IssueServiceToken(
        settings.node_secret.get_secret_value(), mint, now=context.now, lifetime=settings.service_token_life
    )


def _links(
    context: Context,
    organisations: organisation_store.StoredOrganisations,
    asserted: asserted_store.StoredAsserted,
    people: person_store.StoredPeople,
    record: EventRecorder,
) -> LinkUseCases:
    links, commit = link_store.StoredLinks(context.store), context.commit
    return LinkUseCases(
        ProposeLink(
            links,
            people,
            organisations,
            asserted,
            commit,
            record,
            context.new_id,
            context.today,
            node=context.node,
        ),
        DecideLink(links, people, commit, record, context.today),
        HearLink(links, organisations, commit, record, node=context.node),
        links,
        organisations,
        asserted,
        context.today,
    )


SERVICE = Definition(
    name="directory",
    settings=DirectorySettings,
    schema=organisation_store.SCHEMA
    + asserted_store.SCHEMA
    + person_store.SCHEMA
    + link_store.SCHEMA
    + account_store.SCHEMA,
    build=build,
)
