"""A row of the briefing form → what the audit office tells of a party to be inspected: its audits,
what they found and how it was put right; or why nothing."""

from adapters.kit.briefing import translate

__all__ = ["translate"]
