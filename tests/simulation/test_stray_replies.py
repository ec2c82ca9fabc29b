"""Replies that are late, doubled, foreign or wrong change nothing.

Source: the wire contract, "Project API".
"""

import asyncio
from typing import Any

import pytest

from fenix.domain import Message, MoveAction, NotFound, ProjectState, Reply
from fenix.engine import intake
from fenix.engine.intake import ACCEPTED_REPLIES
from fenix.simulation.managers import Answer
from fenix.simulation.running import Stage
from tests.simulation.crashing import Deeds
from tests.simulation.people import Reaction, say, script
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import doctor, instance, project, scene

STATES = [state for state in ProjectState if state.answered]
USUAL = Deeds.of(perform(doctor()))


def unchanged(ending: Ending) -> bool:
    """Whether the session went as it does without stray replies."""
    return Deeds.of(ending).unlike(USUAL) == []


def outcomes(ending: Ending) -> list[str]:
    """What became of each reply."""
    with ending.stage.database.connect() as connection:
        rows = connection.exec_driver_sql("SELECT outcome FROM replies ORDER BY id")
        return [str(row.outcome) for row in rows]


def then(*words: str, seconds: float = 0, **changes: Any) -> Reaction:
    """Answers with an ACK, and some time later with further replies."""

    async def react(stage: Stage, message: Message, answer: Answer) -> None:
        if message.state == "SCALE_IN":
            for ident in ("i-00005", "i-00004"):
                stage.world.delete_instance(ident)
        cold = dict.fromkeys(message.instance_ids, MoveAction.MIGRATE)
        ack = ProjectState(message.state).ack
        await say(stage, message, answer, ack, instance_actions=cold)
        await asyncio.sleep(seconds)
        for word in words:
            await answer(_reply(message, word, **changes))

    return react


def _reply(message: Message, word: str, **changes: Any) -> Reply:
    reply = {
        "session_id": message.payload["session_id"],
        "project_id": message.project_id,
        "state": word,
    }
    return Reply(**reply | changes)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("seconds", [0, 1000])
def test_the_first_reply_counts_and_no_further_one(state: ProjectState, seconds: float) -> None:
    """Twice the same, then the contrary; at once or late, when the next question is out."""

    def chatter(stage: Stage) -> None:
        script(stage, "doctor", **{state: then(state.ack, state.nack, seconds=seconds)})

    ending = perform(doctor(), prepare=chatter)
    assert ending.told("doctor") == [
        "MAINTENANCE",
        "SCALE_IN",
        "PREPARE_MAINTENANCE",
        "INSTANCE_ACTION_DONE",
        "PLANNED_MAINTENANCE",
        "INSTANCE_ACTION_DONE",
        "INSTANCE_ACTION_DONE",
        "PLANNED_MAINTENANCE",
        "INSTANCE_ACTION_DONE",
        "INSTANCE_ACTION_DONE",
        "MAINTENANCE_COMPLETE",
    ]
    assert "None" not in outcomes(ending)


def test_replies_for_all_other_states_change_nothing() -> None:
    """With each question come a NACK and an ACK for everything but the question."""

    def chatter(stage: Stage) -> None:
        for state in STATES:
            others = sorted(ACCEPTED_REPLIES - {state.ack, state.nack})
            script(stage, "doctor", **{state: then(*others)})

    assert perform(doctor(), prepare=chatter).told("doctor").count("PLANNED_MAINTENANCE") == 2


def test_what_needs_no_answer_may_be_answered() -> None:
    """Tacker answers everything (wire contract, "Project API")."""

    async def thank(stage: Stage, message: Message, answer: Answer) -> None:
        await answer(_reply(message, "ACK_INSTANCE_ACTION_DONE"))
        await answer(
            _reply(message, "ACK_INSTANCE_ACTION_DONE", instance_id=message.instance_ids[0])
        )

    def polite(stage: Stage) -> None:
        script(stage, "doctor", INSTANCE_ACTION_DONE=thank)

    ending = perform(doctor(), prepare=polite)
    assert unchanged(ending)
    moved = {one.instance_ids for one in ending.sent if one.state == "INSTANCE_ACTION_DONE"}
    assert outcomes(ending).count("ignored: nothing waits for it") == len(moved) + 1


TWO = scene(
    session={"notice_seconds": 60},
    projects=[project("app", reply_seconds=20), project("other")],
    instances=[instance("i-1", "compute-1"), instance("i-2", "compute-2", project="other")],
)


@pytest.mark.parametrize(
    "changes",
    [
        {"project_id": "other"},
        {"project_id": "other", "instance_id": "i-2"},
        {"state": "NACK_PREPARE_MAINTENANCE", "instance_id": "i-1"},
        {"state": "NACK_MAINTENANCE"},
        {"state": "NACK_SCALE_IN"},
    ],
)
def test_a_reply_of_another_project_or_for_another_thing_does_not_answer(
    changes: dict[str, Any],
) -> None:
    """Project app takes 20 s for its answer; the other project has given its own."""

    async def story(play: Play) -> None:
        await play.event("project.replied", project="other", state="ACK_PLANNED_MAINTENANCE")
        reply = {"session_id": play.session_id, "project_id": "app"} | {
            "state": "NACK_PLANNED_MAINTENANCE"
        }
        await intake.accept_reply(play.stage.database, Reply(**reply | changes), play.stage.now())
        play.stage.wake()

    ending = perform(TWO, story)
    assert outcomes(ending).count("ignored: nothing waits for it") == 1


def test_a_reply_for_an_instance_of_another_project_is_not_even_taken_in() -> None:
    async def story(play: Play) -> None:
        await play.event("project.replied", project="other", state="ACK_PLANNED_MAINTENANCE")
        foreign = Reply(play.session_id, "app", "NACK_PLANNED_MAINTENANCE", instance_id="i-2")
        with pytest.raises(NotFound, match="instance 'i-2' does not exist"):
            await intake.accept_reply(play.stage.database, foreign, play.stage.now())

    perform(TWO, story)


def test_a_choice_for_a_foreign_instance_is_of_no_effect() -> None:
    def greedy(stage: Stage) -> None:
        async def choose_all(stage: Stage, message: Message, answer: Answer) -> None:
            chosen = dict.fromkeys(("i-1", "i-2", "no-such"), MoveAction.MIGRATE)
            await say(stage, message, answer, "ACK_PLANNED_MAINTENANCE", instance_actions=chosen)

        script(stage, "app", PLANNED_MAINTENANCE=choose_all)

    ending = perform(TWO, prepare=greedy)
    done = {event["instance"]: event["action"] for event in ending.of("instance.move.started")}
    assert done == {"i-1": "MIGRATE", "i-2": "LIVE_MIGRATE"}


def test_an_answer_about_the_only_instance_may_name_it() -> None:
    async def by_name(stage: Stage, message: Message, answer: Answer) -> None:
        (ident,) = message.instance_ids
        await say(
            stage,
            message,
            answer,
            "ACK_PLANNED_MAINTENANCE",
            instance_id=ident,
            instance_actions={ident: MoveAction.MIGRATE},
        )

    def precise(stage: Stage) -> None:
        script(stage, "other", PLANNED_MAINTENANCE=by_name)

    ending = perform(TWO, prepare=precise)
    assert ending.of("instance.move.started", instance="i-2")[0]["action"] == "MIGRATE"


def test_a_reply_after_the_end_is_taken_and_forgotten() -> None:
    async def story(play: Play) -> None:
        await play.closed()
        late = Reply(play.session_id, "app", "NACK_MAINTENANCE_COMPLETE")
        await intake.accept_reply(play.stage.database, late, play.stage.now())
        play.stage.wake()
        await asyncio.sleep(100)

    assert "None" not in outcomes(perform(scene(), story))
