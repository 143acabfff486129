"""Files of passwords: whole, their owner's alone, never written over."""

from itertools import count
from pathlib import Path

import pytest

from hub.upkeep.passwords import Passwords


@pytest.fixture
def passwords(tmp_path: Path) -> Passwords:
    numbers = count(1)
    return Passwords(tmp_path / "kept", lambda: f"drawn-{next(numbers)}")


def test_a_password_is_drawn_once_and_only_its_owner_may_read_it(passwords: Passwords) -> None:
    assert passwords.of("510100.petition") == "drawn-1"
    # Its user was not made then, perhaps: whoever goes on finds what was drawn.
    assert passwords.of("510100.petition") == "drawn-1"
    (file,) = passwords.directory.iterdir()
    assert (file.name, file.read_text()) == ("510100.petition.password", "drawn-1\n")
    modes = [oct(path.stat().st_mode & 0o777) for path in (passwords.directory, file)]
    assert modes == ["0o700", "0o600"]


def test_a_forgotten_password_does_not_come_back(passwords: Passwords) -> None:
    passwords.of("guantong")
    passwords.forget("guantong")
    passwords.forget("guantong")
    assert list(passwords.directory.iterdir()) == []
    assert passwords.of("guantong") == "drawn-2"


def test_what_a_kill_left_half_written_is_no_password(passwords: Passwords) -> None:
    passwords.directory.mkdir(mode=0o700)
    (passwords.directory / "guantong.password.new").write_text("dra")
    assert passwords.of("guantong") == "drawn-1"
    assert [path.name for path in passwords.directory.iterdir()] == ["guantong.password"]


def test_a_password_that_others_know_or_may_plant_is_not_used(passwords: Passwords) -> None:
    passwords.directory.mkdir(mode=0o700)
    file = passwords.directory / "guantong.password"
    file.write_text("known\n")
    file.chmod(0o640)
    with pytest.raises(ValueError, match="not a file that you alone may read"):
        passwords.of("guantong")
    assert file.read_text() == "known\n"
    file.unlink()
    file.symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic links"):
        passwords.of("guantong")
    passwords.directory.chmod(0o770)
    with pytest.raises(ValueError, match="others may write there"):
        passwords.of("hub")
