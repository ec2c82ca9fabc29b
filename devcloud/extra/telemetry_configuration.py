"""The configuration files of Ceilometer's notification agent and of Aodh."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcloud import ini
from devcloud.configuration.common import credentials, database, logging, token_validation
from devcloud.console import DevcloudError
from devcloud.settings import Settings, number

SHIPPED = Path(__file__).resolve().parents[2] / "etc/ceilometer"
"""The project's own files, as operators get them."""


@dataclass(frozen=True)
class Options:
    """What tests may want otherwise.

    `serial` keeps the order of events: by default both services use several threads, as they do in
    a real cloud, and events that are some ms apart may overtake each other. `store_raw` adds the
    whole notification to an event. `alarm_cache_s` is the number of seconds for which Aodh may
    overlook that a project's alarms have changed (its own default is 60).
    """

    event_definitions: Path = SHIPPED / "event_definitions.yaml"
    serial: bool = False
    store_raw: bool = False
    alarm_cache_s: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Options":
        prefix = "DEVCLOUD_TELEMETRY_"
        definitions = Path(environ.get(prefix + "DEFINITIONS") or cls.event_definitions)
        if not definitions.is_file():
            raise DevcloudError(f"{prefix}DEFINITIONS={definitions}: no such file")
        return cls(
            event_definitions=definitions,
            serial=environ.get(prefix + "SERIAL") == "1",
            store_raw=environ.get(prefix + "STORE_RAW") == "1",
            alarm_cache_s=number(environ, prefix + "ALARM_CACHE_S", least=0) or 0,
        )


def aodh_file(settings: Settings) -> Path:
    return settings.etc / "aodh" / "aodh.conf"


def ceilometer_file(settings: Settings) -> Path:
    return settings.etc / "ceilometer" / "ceilometer.conf"


def write(settings: Settings, venv: Path, options: Options) -> None:
    _write_aodh(settings, venv, options)
    _write_ceilometer(settings, options)


def _write_aodh(settings: Settings, venv: Path, options: Options) -> None:
    path = aodh_file(settings)
    paste = path.with_name("api-paste.ini")
    default: dict[str, ini.Value] = {
        **logging(settings, "aodh"),
        "transport_url": settings.transport_url,
        "event_alarm_cache_ttl": options.alarm_cache_s,
    }
    if options.serial:
        default["executor_thread_pool_size"] = 1
    ini.write(
        path,
        {
            "DEFAULT": default,
            "database": database(settings, "aodh"),
            "api": {"auth_mode": "keystone", "paste_config": paste},
            "oslo_messaging_notifications": {"transport_url": settings.transport_url},
            "keystone_authtoken": token_validation(settings, "aodh", "alarming"),
            "service_credentials": {**credentials(settings, "aodh"), "interface": "public"},
        },
    )
    # The filter that checks tokens reads a configuration of its own, by default that in /etc/aodh.
    (shipped,) = venv.glob("lib/python3*/site-packages/aodh/api/api-paste.ini")
    text, project = shipped.read_text(), "oslo_config_project = aodh\n"
    if project not in text:
        raise DevcloudError(f"{shipped}: no line {project.strip()!r} to put our file under")
    paste.write_text(text.replace(project, f"{project}oslo_config_file = {path}\n"))


def _write_ceilometer(settings: Settings, options: Options) -> None:
    path = ceilometer_file(settings)
    definitions, pipeline = path.with_name("definitions.yaml"), path.with_name("pipeline.yaml")
    default: dict[str, ini.Value] = {
        **logging(settings, "ceilometer"),
        "transport_url": settings.transport_url,
        "event_pipeline_cfg_file": pipeline,
    }
    if options.serial:
        default["max_parallel_requests"] = 1
    event: dict[str, ini.Value] = {
        "definitions_cfg_file": definitions,
        "drop_unmatched_notifications": True,
    }
    if options.store_raw:
        event["store_raw"] = "info"
    ini.write(
        path,
        {
            "DEFAULT": default,
            "oslo_messaging_notifications": {"transport_url": settings.transport_url},
            "notification": {
                "pipelines": "event",  # no metering, so no Gnocchi and no polling agent
                "workers": 1,
                # Where oslo.messaging's programs publish unless told otherwise.
                "notification_control_exchanges": ["openstack", "fenix"],
            },
            "event": event,
        },
    )
    shutil.copy(options.event_definitions, definitions)
    shutil.copy(SHIPPED / "event_pipeline.yaml", pipeline)
