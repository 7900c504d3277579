"""One tree of errors. A class's docstring says what happened; `config.http` maps each to a problem document once."""

from __future__ import annotations

from collections.abc import Mapping


class TocsinError(Exception):
    """Something was refused."""

    status = 400
    title = "Bad request"

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})  # field name -> what is wrong with it


class InvalidInputError(TocsinError):
    """A field's value cannot be used; `fields` names it."""

    status = 422
    title = "Invalid input"


class NotSignedInError(TocsinError):
    """No credentials, or none that Tocsin knows."""

    status = 401
    title = "Not signed in"


class NotAllowedError(TocsinError):
    """The credentials are good, and do not reach this far."""

    status = 403
    title = "Not allowed"


class NotFoundError(TocsinError):
    """There is no such thing."""

    status = 404
    title = "Not found"


class ConflictError(TocsinError):
    """It cannot be done in the present state."""

    status = 409
    title = "Conflict"


class TooManyError(TocsinError):
    """It was asked for too often; the detail says when it may be asked for again."""

    status = 429
    title = "Too many requests"


class TooLargeError(TocsinError):
    """The body is over the limit."""

    status = 413
    title = "Body too large"


class UnavailableError(TocsinError):
    """The database cannot be reached; the same request may go through later."""

    status = 503
    title = "Unavailable"


class SettingsError(Exception):
    """The settings cannot be used. Holds every problem found, not just the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
