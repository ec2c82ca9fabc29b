"""clouds.yaml: how openstacksdk and the `openstack` command reach this cloud, as its admin."""

from devcloud.settings import CLOUD, PASSWORD, REGION, Settings


def write(settings: Settings) -> None:
    settings.clouds_yaml.write_text(
        f"""\
clouds:
  {CLOUD}:
    auth:
      auth_url: {settings.auth_url}
      username: admin
      password: {PASSWORD}
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    region_name: {REGION}
    identity_api_version: 3
    interface: public
"""
    )


def environment(settings: Settings) -> dict[str, str]:
    """The variables that point a client at this cloud."""
    return {"OS_CLIENT_CONFIG_FILE": str(settings.clouds_yaml), "OS_CLOUD": CLOUD}
