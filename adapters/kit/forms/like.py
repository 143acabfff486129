"""What several agencies fill in alike is told once, in the kit.

A description (`mapping.toml`, `ledger.toml`) that says `like = "briefing"` is the one of that name
here, with what it says itself laid over.
"""

import tomllib
from pathlib import Path
from typing import Any, Final

_FORMS: Final = Path(__file__).parent
_LIKE: Final = "like"


def parsed(content: str, name: str) -> dict[str, Any]:
    """The description in a file of that name. Raises ValueError for what is no TOML, or is like
    none that there is."""
    settings = tomllib.loads(content)
    if _LIKE not in settings:
        return settings
    like = settings.pop(_LIKE)
    known = {path.parent.name: path for path in _FORMS.glob(f"*/{name}")}
    if like not in known:
        raise ValueError(f"like: {name} is there for {', '.join(sorted(known)) or 'none'}")
    return laid_over(tomllib.loads(known[like].read_text(encoding="utf-8")), settings)


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged, anything else is replaced."""
    both = {
        name: laid_over(below[name], value)
        for name, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(name), dict)
    }
    return below | above | both
