"""The configuration: defaults that work together, and clear words for what does not."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from fenix import config
from fenix.api import ApiSettings, NoAuthenticator, authenticator
from fenix.config import ConfigurationError
from fenix.domain import SessionOptions, SilentPolicy, UnmanagedPolicy
from fenix.engine.settings import EngineSettings
from fenix.service.parts import open_database


def write(tmp_path: Path, text: str) -> list[Path]:
    file = tmp_path / "fenix.conf"
    file.write_text(text)
    return [file]


def test_the_defaults_are_those_of_the_code() -> None:
    conf = config.load(files=[])
    assert config.session_options(conf) == SessionOptions()
    made = EngineSettings(**config.engine_options(conf))
    plain = EngineSettings()
    for field in fields(EngineSettings):
        if field.name not in ("public_endpoint", "machine"):
            assert getattr(made, field.name) == getattr(plain, field.name), field.name
    settings = ApiSettings.from_config(conf)
    for name in (
        "admin_project_id",
        "body_timeout",
        "constraints_per_project",
        "max_body_bytes",
        "rules",
        "subscriptions_per_project",
        "tests_at_once",
        "tests_at_once_per_project",
    ):
        assert getattr(settings, name) == getattr(ApiSettings(), name)
    assert conf.api.public_endpoint.endswith(":12347/v1")
    assert conf.database.connection == "sqlite:////var/lib/fenix/fenix.sqlite"


def test_a_file_says_otherwise(tmp_path: Path) -> None:
    conf = config.load(
        files=write(
            tmp_path,
            """
            [DEFAULT]
            state_path = /srv/fenix
            machine = node-7
            channels = http
            [api]
            public_endpoint = https://fenix.example/v1
            auth_strategy = none
            [session]
            silent_projects = skip_host
            unmanaged_projects = move
            parallel_hosts = 3
            reply_timeout = 12.5
            [engine]
            lease_seconds = 6
            loop_interval = 2
            retry_timeout = 0.5
            """.replace("            ", ""),
        )
    )
    options = config.session_options(conf)
    assert options.silent_projects is SilentPolicy.SKIP_HOST
    assert options.unmanaged_projects is UnmanagedPolicy.MOVE
    assert (options.parallel_hosts, options.reply_timeout) == (3, 12.5)
    assert conf.channels == ["http"]
    assert conf.database.connection == "sqlite:////srv/fenix/fenix.sqlite"
    engine = EngineSettings(**config.engine_options(conf))
    assert (engine.lease_seconds, engine.machine) == (6, "node-7")
    settings = ApiSettings.from_config(conf)
    assert settings.public_endpoint == "https://fenix.example/v1"
    assert settings.admin_project_id == "admin"
    assert settings.engine_silence == 12
    assert isinstance(authenticator(conf), NoAuthenticator)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[api]\nport = 70000", r"\[api\] port: .*65535"),
        ("[api]\nport = $nonesuch", r"\[api\] port: .*nonesuch"),
        ("[api]\nauth_strategy = basic", r"\[api\] auth_strategy: .*keystone, none"),
        ("[api]\nmax_body_bytes = 1", r"\[api\] max_body_bytes: .*16384"),
        ("[api]\npublic_endpoint = http://h/v2", r"\[api\] public_endpoint: .*ends in /v1"),
        ("[api]\npublic_endpoint = http:///v1", r"\[api\] public_endpoint: "),
        ("[api]\npublic_endpoint = ftp://h/v1", r"\[api\] public_endpoint: .*http"),
        (f"[api]\npublic_endpoint = http://h/{'x' * 120}/v1", "at most 120 characters"),
        ("[session]\nreply_timeout = -1", r"\[session\] reply_timeout: .*equal to 0"),
        ("[session]\nreply_timeout = soon", r"\[session\] reply_timeout: "),
        ("[session]\nparallel_hosts = 0", r"\[session\] parallel_hosts: .*1"),
        ("[session]\nsilent_projects = hope", r"\[session\] silent_projects: .*skip_host"),
        ("[engine]\nlease_seconds = 13", r"lease_seconds: 13 .* \+ 2 \* retry_timeout\), 14"),
        ("[engine]\nloop_interval = 5", r"lease_seconds: 15 .*, 22"),
        ("[engine]\nretry_timeout = 4", r"lease_seconds: 15 .*, 18"),
        ("[engine]\ncloud_outage = 1", r"cloud_outage: 1 .* at least cloud_retry, 5"),
        ("[engine]\ndelivery_backoff = 90", r"delivery_backoff_limit: 60 .* delivery_backoff, 90"),
        ("[engine\n", "Failed to parse"),
    ],
)
def test_what_can_not_work_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        config.load(files=write(tmp_path, text))
    assert "LocationInfo" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.conf"):
        config.load(["--config-file", str(tmp_path / "missing.conf")], files=[])


def test_the_command_line_is_read() -> None:
    assert config.load(["--debug"], files=[]).debug


def test_all_options_are_described() -> None:
    groups = dict(config.list_opts())
    assert {"DEFAULT", "database", "api", "engine", "session"} <= set(groups)
    assert {field.name for field in fields(SessionOptions)} == {
        opt.name for opt in groups["session"]
    }
    for group in ("DEFAULT", "database", "api", "engine", "session"):
        for opt in groups[group]:
            assert opt.help, opt.name
            assert len(opt.help) > 15, opt.name
    assert "openstack" in groups


def test_the_embedded_database_is_nobody_elses_business(tmp_path: Path) -> None:
    file = tmp_path / "state" / "fenix.sqlite"
    conf = config.load(files=[])
    conf.set_override("connection", f"sqlite:///{file}", "database")
    before = os.umask(0)
    try:
        database = open_database(conf)
        with database.connect(write=True) as connection:
            connection.exec_driver_sql("CREATE TABLE t (i INTEGER)")
            modes = {one.name: one.stat().st_mode & 0o777 for one in file.parent.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}, modes
    assert file.parent.stat().st_mode & 0o777 == 0o700
