"""Rendered files are what oslo.config reads back."""

import shutil
from pathlib import Path

import pytest
from devcloud import configuration, golden, ini
from devcloud.configuration.nova import write_compute
from devcloud.settings import Settings
from oslo_config import cfg


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(root=tmp_path)
    shipped = settings.venv / "etc/nova/api-paste.ini"  # which Nova's package brings
    shipped.parent.mkdir(parents=True)
    shipped.write_text("[composite:osapi_compute]\n")
    return settings


def read(*files: Path, **options: cfg.Opt) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    for section, option in options.items():
        conf.register_opt(option, group=None if section == "DEFAULT" else section)
    conf([word for file in files for word in ("--config-file", str(file))])
    return conf


def test_values_of_all_kinds_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "x.conf"
    ini.write(file, {"DEFAULT": {"on": True}, "one": {"many": ["a", "b"]}, "two": {"n": -1}})
    conf = read(
        file,
        DEFAULT=cfg.BoolOpt("on"),
        one=cfg.MultiStrOpt("many"),
        two=cfg.IntOpt("n"),
    )
    assert (conf.on, conf.one.many, conf.two.n) == (True, ["a", "b"], -1)


def test_a_compute_has_a_state_of_its_own_and_no_database(settings: Settings) -> None:
    configuration.write_all(settings)
    write_compute(settings, "compute-7")
    folder = settings.etc / "nova"
    conf = read(
        folder / "nova.conf",
        folder / "compute-7.conf",
        DEFAULT=cfg.StrOpt("state_path"),
        database=cfg.StrOpt("connection"),
    )
    assert conf.state_path == str(settings.run / "nova/compute-7")
    assert conf.database.connection is None


def test_writing_again_after_a_move_of_the_ports_leaves_no_old_one(settings: Settings) -> None:
    configuration.write_all(settings)
    moved = Settings(root=settings.root, ports=settings.ports.shifted(100))
    configuration.write_all(moved)
    written = [path.read_text() for path in settings.run.rglob("*.conf")]
    assert len(written) >= 7
    old = [str(port) for port in vars(settings.ports).values()]
    assert not [port for port in old for text in written if f":{port}" in text]


def test_the_fingerprint_follows_contents_names_and_settings(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "a.py").write_text("1")
    first = golden.digest([folder], "here")
    assert golden.digest([folder], "there") != first
    (folder / "a.py").write_text("2")
    assert golden.digest([folder], "here") != first
    (folder / "a.py").write_text("1")
    (folder / "a.pyc").write_text("compiled")
    assert golden.digest([folder], "here") == first
    shutil.move(folder / "a.py", folder / "b.py")
    assert golden.digest([folder], "here") != first


def test_an_image_counts_as_current_for_its_own_settings_only(settings: Settings) -> None:
    settings.golden.mkdir()
    assert not golden.is_current(settings)
    (settings.golden / "fingerprint").write_text(golden.fingerprint(settings))
    assert golden.is_current(settings)
    assert not golden.is_current(Settings(root=settings.root, ports=settings.ports.shifted(1)))
