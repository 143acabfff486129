"""A row of a roster → the cadre's profile."""

from adapters.organization.written import translate

__all__ = ["translate"]
