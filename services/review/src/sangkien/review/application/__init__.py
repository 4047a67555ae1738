"""The use cases of review: each loads, lets an aggregate decide, and saves what it decided in one unit."""
