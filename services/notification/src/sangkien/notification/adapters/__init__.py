"""Notification's ties to the store, to mail servers, to directory and to the catalogue of texts."""
