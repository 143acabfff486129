"""A row of the briefing form → what the organization department tells of a party to be inspected:
its leading body, selection and appointment, personal matters; or why nothing."""

from adapters.kit.briefing import translate

__all__ = ["translate"]
