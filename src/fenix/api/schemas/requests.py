"""What administrators and projects send about sessions."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_type_hints

from pydantic import BeforeValidator, FailFast, Field, create_model

from fenix.api.schemas.fields import Body, Ident, Name, RequestTime, StrictBody
from fenix.domain import (
    ActionSpec,
    ActionType,
    MoveAction,
    SessionOptions,
    SessionRequest,
)


def _options() -> Any:
    """The fields of `SessionOptions`, each to be left out for its default."""
    hints = get_type_hints(SessionOptions, include_extras=True)
    made: dict[str, Any] = {}
    for field in fields(SessionOptions):
        hint = hints[field.name]
        text = next(note.documentation for note in get_args(hint) if hasattr(note, "documentation"))
        # JSON has no enums: their values are strings.
        strict = not isinstance(field.default, str)
        made[field.name] = (hint, Field(field.default, description=text, strict=strict))
    return create_model(
        "Options",
        __base__=StrictBody,
        __doc__="How a session is carried out, where it is not to be as configured; in seconds.",
        **made,
    )


if TYPE_CHECKING:
    OptionsBody = StrictBody
else:
    OptionsBody = _options()


class ActionBody(StrictBody):
    """An action plug-in that the session is to run."""

    plugin: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="Name of an installed action plug-in.", examples=["command"]
    )
    type: ActionType = Field(
        strict=False,
        description="When: around the session (`pre`, `post`), or on hosts (`host` on all, "
        "`compute` and `controller` on those of the type).",
    )
    metadata: dict[str, Any] = Field(default={}, description="For the plug-in.")


class SessionBody(StrictBody):
    """A maintenance session to be created."""

    state: Literal["MAINTENANCE"] = Field(default="MAINTENANCE", description="The first state.")
    workflow: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="Name of an installed workflow.", examples=["default"]
    )
    maintenance_at: RequestTime = Field(
        description="No instance is touched before; UTC, or ISO 8601 with a zone. At most a day "
        "ago: then the session starts at once."
    )
    metadata: dict[str, Any] = Field(
        default={},
        description="Told to the applications in each message; less than 255 characters.",
        examples=[{"openstack_version": "2026.2"}],
    )
    hosts: Annotated[list[Name], FailFast(), Field(max_length=100_000)] = Field(
        default=[], description="Names of hosts; empty: all that compute.", examples=[["compute-1"]]
    )
    actions: Annotated[list[ActionBody], Field(max_length=100)] = Field(default=[])
    download: Annotated[list[Annotated[str, Field(max_length=2048)]], Field(max_length=100)] = (
        Field(
            default=[],
            description="Kept and shown, and nothing is downloaded: code comes from installed "
            "packages only.",
        )
    )
    options: OptionsBody = Field(default_factory=OptionsBody)

    def request(self, defaults: SessionOptions) -> SessionRequest:
        """The same as an object of the domain.

        Args:
            defaults: for the options that are not chosen.
        """
        chosen = self.options.model_dump(exclude_unset=True)
        return SessionRequest(
            workflow=self.workflow,
            maintenance_at=self.maintenance_at,
            metadata=self.metadata,
            hosts=tuple(self.hosts),
            actions=tuple(ActionSpec(one.plugin, one.type, one.metadata) for one in self.actions),
            download=tuple(self.download),
            options=SessionOptions(**asdict(defaults) | chosen),
        )


class ContinueBody(Body):
    """Where a failed session is to go on."""

    state: str = Field(
        max_length=40,
        description="A state of its workflow.",
        examples=["PLANNED_MAINTENANCE"],
    )


LaxAction = Annotated[MoveAction, Field(strict=False)]


MOST_ACTIONS = 10_000


def _not_too_many(actions: Any) -> Any:
    """Ends before all of them are looked at: what is wrong with each would be noted."""
    if isinstance(actions, dict) and len(actions) > MOST_ACTIONS:
        raise ValueError(f"at most {MOST_ACTIONS} instances")
    return actions


class ReplyBody(Body):
    """A project's answer to a message; other fields are ignored."""

    state: str = Field(
        max_length=40,
        description="`ACK_` or `NACK_` and the message's state.",
        examples=["ACK_PLANNED_MAINTENANCE"],
    )
    instance_actions: Annotated[dict[Ident, LaxAction] | None, BeforeValidator(_not_too_many)] = (
        Field(
            default=None,
            description="What is to happen to each instance; needed with "
            "`ACK_PREPARE_MAINTENANCE` and `ACK_PLANNED_MAINTENANCE` only.",
        )
    )


class InstanceReplyBody(Body):
    """A project's answer about one instance; other fields are ignored."""

    state: str = Field(
        max_length=40,
        description="`ACK_` or `NACK_` and the message's state.",
        examples=["ACK_PLANNED_MAINTENANCE"],
    )
    instance_action: LaxAction | None = Field(
        default=None,
        description="What is to happen to the instance; absent: its constraint's `migration_type`.",
    )
