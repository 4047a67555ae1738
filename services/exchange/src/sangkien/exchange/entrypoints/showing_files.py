"""What an operator sees of evidence files between nodes."""

from collections.abc import Sequence

from sangkien.api.exchange.v1 import exchange_pb2 as api
from sangkien.exchange.application.file_ports import Files
from sangkien.exchange.domain.files import Fetch, Named


async def shown_files(files: Files, dossier_id: str) -> Sequence[api.File]:
    """Those of a dossier here; without one, all that are still to come, at most 1,000."""
    if not dossier_id:
        return [_coming(one) for one in await files.missing()]
    fetched, named = await files.of_dossier(dossier_id)
    return [*[_coming(one) for one in fetched], *[_going(one) for one in named]]


def _coming(one: Fetch) -> api.File:
    return api.File(
        sha256=one.sha256,
        size=one.size,
        direction="in",
        node=one.node,
        state=one.state.value,
        received=one.received,
        attempt=one.attempt,
        reason=one.reason,
    )


def _going(one: Named) -> api.File:
    state = "there" if one.there else "gone" if one.gone else "going" if one.until else "named"
    return api.File(sha256=one.sha256, size=one.size, direction="out", node=one.node, state=state, received=one.reached)
