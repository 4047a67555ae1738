"""Reading by what a caller typed: ids that can be none, page tokens of another list."""

from sangkien.recognition.domain.errors import RecognitionPageTokenInvalid
from sangkien.store import Document, Page, Sort, Store, Where
from sangkien.store.errors import Invalid


async def found(store: Store, coll: str, id: str) -> Document | None:
    """The document, None as well for a text that no id can be."""
    try:
        return await store.get(coll, id)
    except Invalid:
        return None


async def paged(store: Store, coll: str, where: Where, sort: Sort, limit: int, token: str) -> Page:
    """The page behind `token`, "" for the first. Raises RecognitionPageTokenInvalid."""
    if not token:
        return await store.page(coll, where, sort=sort, limit=limit)
    try:
        return await store.page(coll, where, sort=sort, limit=limit, after=token)
    except Invalid:
        raise RecognitionPageTokenInvalid(field="page_token") from None
