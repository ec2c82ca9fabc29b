"""Where everything lives and listens, and how large the fake hosts are.

One frozen value is handed to every part, so that nothing else reads the environment and a test can
point all of it at a folder of its own.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from devcloud.console import DevcloudError

PACKAGE = Path(__file__).resolve().parent
INSIDE = PACKAGE / "inside"
PASSWORD = "devcloud"
REGION = "RegionOne"
CLOUD = "devcloud"  # the name in clouds.yaml

# A Unix socket's path may have 107 bytes; the longest of ours below the root is run/nova/zygote.
_LONGEST_ROOT = 80
_HIGHEST_OFFSET = 10_000  # stays below the ports that the system gives to clients


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1, none of them a standard one: the machine may have its own services.

    They are part of the golden image (Keystone's catalog and Nova's cell mappings hold them).
    """

    database: int = 13306
    rabbit: int = 15673
    rabbit_distribution: int = 15674
    epmd: int = 14369
    keystone: int = 15000
    placement: int = 18778
    glance: int = 19292
    nova: int = 18774
    neutron: int = 19696
    aodh: int = 18042

    def shifted(self, offset: int) -> "Ports":
        """All of them higher by that much, for a second devcloud on the same machine."""
        return Ports(**{name: port + offset for name, port in asdict(self).items()})


@dataclass(frozen=True)
class HostSize:
    """What one fake hypervisor has to give: vCPUs, MiB of memory, GiB of disk."""

    vcpus: int
    memory_mb: int
    disk_gb: int

    @classmethod
    def of(
        cls, vcpus: int | None, memory_mb: int | None = None, disk_gb: int | None = None
    ) -> "HostSize":
        """The size asked for; memory and disk grow with the vCPUs unless they are given."""
        vcpus = 8 if vcpus is None else vcpus
        return cls(
            vcpus=vcpus,
            memory_mb=2048 * vcpus if memory_mb is None else memory_mb,
            disk_gb=100 * vcpus if disk_gb is None else disk_gb,
        )


@dataclass(frozen=True)
class Settings:
    """All that differs from one devcloud to another."""

    root: Path
    size: HostSize = field(default_factory=lambda: HostSize.of(None))
    ports: Ports = field(default_factory=Ports)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read DEVCLOUD_ROOT, _PORT_OFFSET, _VCPUS, _MEMORY_MB and _DISK_GB.

        Raises:
            DevcloudError: a number is out of range, or the root's path is too long.
        """
        root = environ.get("DEVCLOUD_ROOT") or str(Path(tempfile.gettempdir()) / "devcloud")
        if len(root.encode()) > _LONGEST_ROOT:
            raise DevcloudError(
                f"DEVCLOUD_ROOT={root}: longer than {_LONGEST_ROOT} bytes,"
                " so the Unix sockets below it could not be made"
            )
        size = HostSize.of(
            number(environ, "DEVCLOUD_VCPUS"),
            number(environ, "DEVCLOUD_MEMORY_MB"),
            number(environ, "DEVCLOUD_DISK_GB"),
        )
        offset = number(environ, "DEVCLOUD_PORT_OFFSET", least=0, most=_HIGHEST_OFFSET) or 0
        return cls(root=Path(root).absolute(), size=size, ports=Ports().shifted(offset))

    def with_size(self, size: HostSize) -> "Settings":
        """The same devcloud with hosts of another size."""
        return replace(self, size=size)

    # -- folders: `run` is one running cloud and may be thrown away, the rest is kept
    @property
    def venv(self) -> Path:
        return self.root / "venv"

    @property
    def golden(self) -> Path:
        return self.root / "golden"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def etc(self) -> Path:
        return self.run / "etc"

    @property
    def log(self) -> Path:
        return self.run / "log"

    @property
    def pid(self) -> Path:
        return self.run / "pid"

    @property
    def database_data(self) -> Path:
        return self.run / "mysql"

    @property
    def database_socket(self) -> Path:
        return self.database_data / "s"

    @property
    def zygote_socket(self) -> Path:
        return self.run / "nova" / "zygote"

    @property
    def clouds_yaml(self) -> Path:
        return self.run / "clouds.yaml"

    def compute_state(self, host: str) -> Path:
        """The state_path of one nova-compute: its identity, its guests, its behaviour."""
        return self.run / "nova" / host

    # -- addresses
    @property
    def auth_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.keystone}/v3"

    @property
    def transport_url(self) -> str:
        return f"rabbit://guest:guest@127.0.0.1:{self.ports.rabbit}/"

    def endpoint(self, service: str) -> str:
        """The root URL of an API, by the name of its port: ``nova``, ``placement``, ..."""
        return f"http://127.0.0.1:{getattr(self.ports, service)}"

    def database_url(self, database: str) -> str:
        """The SQLAlchemy URL of a database; its user is the part before the first underscore."""
        user = database_user(database)
        return (
            f"mysql+pymysql://{user}:{PASSWORD}@127.0.0.1:{self.ports.database}"
            f"/{database}?charset=utf8mb4"
        )

    def make_folders(self) -> None:
        for folder in (self.etc, self.log, self.pid):
            folder.mkdir(parents=True, exist_ok=True)


def database_user(database: str) -> str:
    return database.split("_", maxsplit=1)[0]


def compute_name(number: int) -> str:
    """The host name of a fake compute node, counted from 1."""
    return f"compute-{number}"


def number(
    environ: Mapping[str, str], name: str, least: int = 1, most: int = 1_000_000
) -> int | None:
    """A whole number from the environment, or None; raises DevcloudError if it is anything else."""
    text = environ.get(name)
    if not text:
        return None
    if not text.isdecimal() or not least <= int(text) <= most:
        raise DevcloudError(f"{name}={text}: must be a whole number from {least} to {most}")
    return int(text)
