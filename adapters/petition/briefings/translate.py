"""A row of the briefing form → what the petition office tells of a party to be inspected: the
letters and visits about it, how they were handled; or why nothing."""

from adapters.kit.briefing import translate

__all__ = ["translate"]
