"""`make docs`: write the lists of settings, errors, routes and commands, from the code."""

from pathlib import Path
from typing import Final

from deploy.reference import commands, errors, routes, settings

HERE: Final = Path(__file__).parent


def generated() -> dict[Path, str]:
    """The generated files and what must stand in them."""
    return {
        HERE / "settings.md": settings.page(),
        HERE / "errors.md": errors.page(),
        HERE / "routes.md": routes.page(),
        HERE / "commands.md": commands.page(),
    }


def main() -> None:
    """Write them."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
