"""Follows a session to its end: a live picture on a terminal, a line for each change in a pipe."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import typer
from rich.live import Live

from fenix.cli.client import ApiError, Client, Unreachable
from fenix.cli.errors import CommandFailed
from fenix.cli.output import console
from fenix.cli.session_view import progress, subject

DONE, FAILED = "MAINTENANCE_DONE", "MAINTENANCE_FAILED"
KEPT = 50
STALE = 5.0
"""Seconds after which everything is read again although the timeline has nothing new."""
SHARE = 10
"""Everything is read for a tenth of the time at most: of a large session it takes seconds."""

Json = dict[str, Any]


class Watch:
    """What is known of a session, read again with as little as can be.

    Args:
        patience: seconds that Fenix may be away before it is given up.
        whole: hosts and instances are wanted as well.
    """

    def __init__(self, client: Client, session_id: str, patience: float, whole: bool) -> None:
        self._client = client
        self._session_id = session_id
        self._patience = patience
        self._whole = whole
        self._last = 0
        self._read_at = 0.0
        self._rest_until = 0.0
        self._answered_at = time.monotonic()
        self.detail: Json = {}
        """As far as it is wanted."""
        self.lines: deque[Json] = deque(maxlen=KEPT)
        self.fresh: list[Json] = []
        """The lines of the timeline that the last look has brought."""
        self.trouble = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        state, resumed = self.detail.get("state"), self.detail.get("resume_state")
        return state == DONE or (state == FAILED and not resumed)

    def look(self) -> None:
        """Reads what is new; while Fenix is away, only `trouble` is.

        Raises:
            Unreachable: it has been away for too long, or never been there.
            ApiError: the session can't be seen, or is gone.
        """
        self.fresh = []
        try:
            state = self._client.session(self._session_id)
            for line in self._client.timeline(self._session_id, self._last):
                self._last = line["id"]
                self.lines.append(line)
                self.fresh.append(line)
            if self._whole and self._due(state):
                began = time.monotonic()
                self.detail = self._client.detail(self._session_id)
                self._read_at = time.monotonic()
                self._rest_until = self._read_at + (SHARE - 1) * (self._read_at - began)
            else:
                self.detail |= state
        except Unreachable as error:
            away = time.monotonic() - self._answered_at
            if not self.detail or away > self._patience:
                raise
            self.trouble = f"{error}; trying again since {away:.0f} s"
        else:
            self.trouble = ""
            self._answered_at = time.monotonic()

    def _due(self, state: Json) -> bool:
        """Whether everything is to be read again."""
        if state["state"] != self.detail.get("state"):
            return True
        now = time.monotonic()
        return now >= self._rest_until and bool(self.fresh or now - self._read_at > STALE)


def follow(client: Client, session_id: str, interval: float = 1.0, patience: float = 300.0) -> Json:
    """Shows a session until it ends.

    Args:
        interval: seconds between two looks.
        patience: seconds that Fenix may be away, as while it is restarted.

    Returns:
        Where the session stands at its end.

    Raises:
        CommandFailed: the session was deleted or can't be seen, or Fenix is away for too long.
    """
    target = console()
    watch = Watch(client, session_id, patience, whole=target.is_terminal)
    try:
        watch.look()
        if target.is_terminal:
            with Live(console=target, auto_refresh=False) as live:

                def show() -> None:
                    lines, trouble = list(watch.lines), watch.trouble
                    live.update(progress(watch.detail, lines, trouble, target.height), refresh=True)

                _until_end(watch, interval, show)
        else:
            _until_end(watch, interval, Lines(watch).show)
    except ApiError as error:
        if error.code == 404 and watch.detail:
            raise CommandFailed(f"session {session_id} was deleted") from error
        raise
    return watch.detail


def judge(detail: Json) -> None:
    """Ends the command as the session has ended.

    Raises:
        CommandFailed: it has failed.
    """
    if detail["state"] != DONE:
        raise CommandFailed(f"session {detail['session_id']} has failed: {detail['reason']}")


class Lines:
    """The changes of a session, a line each."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._shown: tuple[Any, ...] = ()
        self._trouble = False

    def show(self) -> None:
        """Prints what is new."""
        detail = self._watch.detail
        for line in self._watch.fresh:
            words = (line["at"], line["what"], subject(line), line["why"])
            typer.echo(" ".join(word for word in words if word))
        now = (detail["state"], detail["percent_done"])
        if now != self._shown:
            typer.echo(f"{detail['updated_at']} {now[0]} {now[1]} %")
            self._shown = now
        if bool(self._watch.trouble) != self._trouble:
            self._trouble = not self._trouble
            typer.echo(self._watch.trouble or "Fenix answers again", err=True)


def _until_end(watch: Watch, interval: float, show: Callable[[], None]) -> None:
    show()
    while not watch.ended:
        time.sleep(interval)
        watch.look()
        show()
