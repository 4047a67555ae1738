"""The groups of `sangkien` commands. A module here holds options and wording; what is done lives beside it."""
