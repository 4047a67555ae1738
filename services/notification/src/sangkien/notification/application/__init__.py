"""Notification's use cases. They reach the world through `ports`."""
