"""Pages of a stored list."""

from sangkien.recognition.domain.errors import RecognitionPageTokenInvalid
from sangkien.store import Page, Sort, Store, Where
from sangkien.store.errors import Invalid


async def paged(store: Store, coll: str, where: Where, sort: Sort, limit: int, token: str) -> Page:
    """The page behind `token`, "" for the first. Raises RecognitionPageTokenInvalid."""
    if not token:
        return await store.page(coll, where, sort=sort, limit=limit)
    try:
        return await store.page(coll, where, sort=sort, limit=limit, after=token)
    except Invalid:
        raise RecognitionPageTokenInvalid(field="page_token") from None
