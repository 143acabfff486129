"""`make docs`: write what is generated here, the list of metrics and the dashboard."""

from pathlib import Path
from typing import Final

from deploy.monitoring.dashboard import dashboard
from deploy.monitoring.page import page

HERE: Final = Path(__file__).parent


def generated() -> dict[Path, str]:
    """The generated files and what must stand in them."""
    return {HERE / "metrics.md": page(), HERE / "dashboard.json": dashboard()}


def main() -> None:
    """Write them."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
