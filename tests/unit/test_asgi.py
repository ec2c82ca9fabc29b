"""What the entry for other ASGI servers refuses; that it works is shown with a real Keystone."""

from pathlib import Path

import pytest

from fenix.service import CannotStart
from fenix.service.asgi import CONFIG_FILES, create


@pytest.mark.parametrize(
    ("strategy", "said"),
    [("none", "auth_strategy"), ("keystone", "[database] connection: 'sqlite://")],
)
def test_what_can_not_work_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str, said: str
) -> None:
    file = tmp_path / "fenix.conf"
    file.write_text(
        f"[DEFAULT]\nstate_path = {tmp_path}\ncloud = simulated\nchannels =\n"
        f"[api]\nauth_strategy = {strategy}\n"
    )
    monkeypatch.setenv(CONFIG_FILES, str(file))
    with pytest.raises(CannotStart, match=said.replace("[", r"\[")):
        create()
