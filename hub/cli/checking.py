"""`guantong contract check`: events in files against their contracts, offline."""

from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from contracts.catalogue import load_catalogue
from hub.cli.eventfiles import Checked, Found, check_files
from hub.cli.output import AsJson, say, show_json
from hub.cli.owncodes import TAKE_CODES, OwnCodes, codes_in

# Faults that an installation's own codes may cure.
_UNKNOWN: Final = frozenset(("code_unknown", "region_unknown"))


def check(
    *files: Annotated[Path, Parameter(help="事件文件或目录 / files of events, directories")],
    codes: OwnCodes = None,
    as_json: AsJson = False,
) -> int:
    """Exits with 0 for no fault, 1 for faults, 2 for files that cannot be read."""
    if not files:
        raise ValueError("至少给出一个文件 / name at least one file")
    checked = check_files(files, load_catalogue(), codes_in(codes))
    if as_json:
        show_json(_document(checked))
    else:
        for found in checked.found:
            say(_line(found))
        say(
            f"{checked.files} 个文件 / files, {checked.events} 个事件 / events, "
            f"{len(checked.found)} 处错误 / faults"
        )
        if codes is None and any(found.fault.code in _UNKNOWN for found in checked.found):
            say(TAKE_CODES)
    if any(found.unread for found in checked.found):
        return 2
    return 1 if checked.found else 0


def _document(checked: Checked) -> dict[str, Any]:
    return {
        "files": checked.files,
        "events": checked.events,
        "faults": [
            {
                "file": str(found.file),
                "line": found.line,
                "event": found.event,
                "pointer": found.fault.pointer,
                "code": found.fault.code,
                "message": found.fault.message,
                "message_en": found.fault.message_en,
            }
            for found in checked.found
        ],
    }


def _line(found: Found) -> str:
    """As compilers write it, so that editors can go there."""
    # A name may hold anything but a slash, also what would command a terminal.
    name = "".join(sign if sign.isprintable() else "?" for sign in str(found.file))
    where = name if found.line is None else f"{name}:{found.line}"
    which = "" if found.event is None else f"第 {found.event} 个事件 event {found.event}  "
    fault = found.fault
    return (
        f"{where}: {which}{fault.pointer or '/'}  {fault.code}  "
        f"{fault.message} / {fault.message_en}"
    )
