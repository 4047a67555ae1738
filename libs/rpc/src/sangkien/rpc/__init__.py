"""gRPC between services: closed by default, a deadline and a trace on every call, refusals with stable codes."""

from sangkien.rpc.client import TokenSource, connect
from sangkien.rpc.faults import Translate, item_error
from sangkien.rpc.paging import page_size
from sangkien.rpc.policy import AUTHENTICATED, PUBLIC, Access, Policy, PolicyError
from sangkien.rpc.principal import Principal, principal, service_subject
from sangkien.rpc.refusals import Unavailable
from sangkien.rpc.remote import RemoteError, RemoteFault, RemoteRefusal, RemoteUnavailable
from sangkien.rpc.renewal import RenewedToken
from sangkien.rpc.retry import retrying
from sangkien.rpc.server import READY, ListenFailed, RpcServer, create_server
from sangkien.rpc.tokens import TokenMinter, TokenVerifier, new_signing_key, public_keys

__all__ = [
    "AUTHENTICATED",
    "PUBLIC",
    "READY",
    "Access",
    "ListenFailed",
    "Policy",
    "PolicyError",
    "Principal",
    "RemoteError",
    "RemoteFault",
    "RemoteRefusal",
    "RemoteUnavailable",
    "RenewedToken",
    "RpcServer",
    "TokenMinter",
    "TokenSource",
    "TokenVerifier",
    "Translate",
    "Unavailable",
    "connect",
    "create_server",
    "item_error",
    "new_signing_key",
    "page_size",
    "principal",
    "public_keys",
    "retrying",
    "service_subject",
]
