"""Both ends of a link between nodes: accounts, certificates, server configurations, streams (ADR 0008)."""

from sangkien.federation.certificates import Authority, Issued, new_key_and_csr
from sangkien.federation.crossing import Arrived, Backlog
from sangkien.federation.errors import (
    ClaimsRefused,
    FederationError,
    FolderRefused,
    LinkDown,
    LinkRefused,
    RequestRefused,
    UnknownNode,
)
from sangkien.federation.hub_broker import HubBroker
from sangkien.federation.hub_folder import HubFolder
from sangkien.federation.hub_link import HubLink
from sangkien.federation.leaf_broker import LeafBroker
from sangkien.federation.member_folder import Link, MemberFolder, NewKeys
from sangkien.federation.names import BadName, Names, checked_node

__all__ = [
    "Arrived",
    "Authority",
    "Backlog",
    "BadName",
    "ClaimsRefused",
    "FederationError",
    "FolderRefused",
    "HubBroker",
    "HubFolder",
    "HubLink",
    "Issued",
    "LeafBroker",
    "Link",
    "LinkDown",
    "LinkRefused",
    "MemberFolder",
    "Names",
    "NewKeys",
    "RequestRefused",
    "UnknownNode",
    "checked_node",
    "new_key_and_csr",
]
