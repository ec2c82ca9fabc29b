"""Settings are checked before anything starts."""

from typing import Any

import pytest

from fenix.manager import ManagerSettings


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"fenix_url": "fenix:12347"}, "fenix_url: 'fenix:12347' is not valid; allowed: an http"),
        ({"callback_url": "ftp://x"}, "callback: 'ftp://x' is not valid"),
        ({"action": "EVACUATE"}, "action: 'EVACUATE' is not valid; allowed: MIGRATE, LIVE_MIGRATE"),
        ({"actions": {"db-*": "migrate"}}, r"actions.db-\*: 'migrate' is not valid"),
        ({"cloud": "cardboard"}, "cloud: 'cardboard' is not valid; allowed: simulated, openstack"),
        ({"body_format": "xml"}, "body_format: 'xml' is not valid; allowed: aodh, cloudevents"),
        ({"auth": "basic"}, "auth: 'basic' is not valid; allowed: none, keystone"),
        ({"scale_in": 0}, "scale_in: 0 is not valid; allowed: 1 or more"),
        ({"scale_in_max": -1}, "scale_in_max: -1 is not valid; allowed: 0 or more"),
        ({"project_id": ""}, "project_id: '' is not valid"),
        ({"project_id": "", "cloud": "openstack"}, "project_id: '' is not valid"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ManagerSettings(**{"project_id": "app"} | wrong)


def test_the_project_is_known_to_keystone() -> None:
    assert ManagerSettings(cloud="openstack", auth="keystone").project_id == ""


def test_the_callback_is_made_of_host_and_port() -> None:
    assert ManagerSettings(project_id="app", host="192.0.2.7", port=99).callback == (
        "http://192.0.2.7:99/maintenance"
    )


def test_the_first_pattern_that_fits_decides() -> None:
    settings = ManagerSettings(
        project_id="app",
        action="LIVE_MIGRATE",
        actions={"db-0": "OWN_ACTION", "db-*": "MIGRATE"},
        removable=("web-*", "group-1"),
    )
    assert [settings.action_for(name) for name in ("db-0", "db-1", "web-0")] == [
        "OWN_ACTION",
        "MIGRATE",
        "LIVE_MIGRATE",
    ]
    assert settings.is_removable("web-0", None)
    assert settings.is_removable("db-0", "group-1")
    assert not settings.is_removable("db-0", None)
