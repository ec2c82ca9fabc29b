"""The errors that a caller of Fenix can cause, each with what a clear answer needs.

The API turns them into the HTTP codes of the wire contract, the CLI into a message and an exit
code. They live here because every layer may raise them.
"""


class FenixError(Exception):
    """Base of all errors that are meant for the caller.

    Attributes:
        code: HTTP status of the answer (wire contract, "Conventions").
        title: one or two words for the kind of error.
    """

    code = 500
    title = "Internal error"


class InvalidField(FenixError):
    """A field of a request is malformed or not allowed.

    Args:
        field: name of the field, with dots for nesting (``actions.0.plugin``).
        value: what was sent; shown shortened.
        allowed: what is allowed, as the end of the sentence "allowed: ...".
    """

    code = 400
    title = "Bad request"

    def __init__(self, field: str, value: object, allowed: str) -> None:
        shown = repr(value)
        if len(shown) > 120:
            shown = shown[:117] + "..."
        super().__init__(f"{field}: {shown} is not valid; allowed: {allowed}")
        self.field = field


class Unauthorized(FenixError):
    """There is no valid token."""

    code = 401
    title = "Unauthorized"


class Forbidden(FenixError):
    """The caller is known, and may not do this."""

    code = 403
    title = "Forbidden"


class NotFound(FenixError):
    """Session, project, instance or group are not known."""

    code = 404
    title = "Not found"

    def __init__(self, kind: str, ident: str) -> None:
        super().__init__(f"{kind} {ident!r} does not exist")


class Conflict(FenixError):
    """The request is well formed, but not possible in the present state."""

    code = 409
    title = "Conflict"


class TooLarge(FenixError):
    """The request, or what it asks for, is larger than a limit."""

    code = 413
    title = "Too large"


class TooMany(FenixError):
    """The caller has used up what it may have.

    Args:
        text: what, naming the limit.
        retry_after: seconds after which another try may succeed; None: not by waiting.
    """

    code = 429
    title = "Too many"

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
