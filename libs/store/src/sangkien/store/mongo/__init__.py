"""The store over the wire: MongoDB through PyMongo's asyncio client."""

from sangkien.store.mongo.store import MongoStore

__all__ = ["MongoStore"]
