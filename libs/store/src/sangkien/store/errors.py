"""What can go wrong between a service and its store. Messages carry names and ids, never field values."""


class StoreError(Exception):
    """Base of everything the store raises."""


class Invalid(StoreError, ValueError):
    """A name, document, query or cursor the port does not allow; the same call will never succeed."""


class Duplicate(StoreError):
    """A unit (or a new unique index) met an occupied key; nothing of the unit was written.

    ``coll`` is the collection, ``id`` the document that was refused (None for a new index), ``fields`` the key that
    is taken: ``("_id",)`` or the unique index's fields.
    """

    def __init__(self, coll: str, id: str | None, fields: tuple[str, ...]) -> None:
        super().__init__(f"{coll}/{id or '?'}: another document holds the same {', '.join(fields)}")
        self.coll, self.id, self.fields = coll, id, fields


class Conflict(StoreError):
    """The document ``coll``/``id`` is gone or at another version than expected; nothing of the unit was written."""

    def __init__(self, coll: str, id: str) -> None:
        super().__init__(f"{coll}/{id}: changed or removed since it was read; read it again and retry")
        self.coll, self.id = coll, id


class SchemaDrift(StoreError):
    """The stored index differs from the declared one; drop it by hand or declare what is stored."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, is closed, or did not answer in time; trying again later may work."""


class StoreInUse(StoreUnavailable):
    """Another process owns this SQLite store."""
