"""A row of the briefing form → what this organ tells of a party to be inspected, or why nothing."""

from adapters.kit.briefing import translate

__all__ = ["translate"]
