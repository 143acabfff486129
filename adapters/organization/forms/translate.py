"""An appointment form (LRMX, LRM) → the cadre's profile."""

from adapters.organization.written import translate

__all__ = ["translate"]
