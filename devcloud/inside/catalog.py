"""Keystone: roles, and services with their users and endpoints.

usage: catalog.py AUTH_URL PASSWORD REGION register JSON
       catalog.py AUTH_URL PASSWORD REGION unregister TYPE USER

JSON is an object {type: [name and user, URL]}.
"""

import json
import sys

from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystoneclient.v3 import client

# What the default policies of today's releases ask for; `bootstrap` makes most of them.
ROLES = ("admin", "manager", "member", "reader", "service")
SERVICE_ROLES = ("admin", "service")
INTERFACES = ("public", "internal", "admin")


def get_or_create(manager, name, **values):
    found = [entity for entity in manager.list() if entity.name == name]
    return found[0] if found else manager.create(name=name, **values)


def register(keystone, password, region, services):
    roles = {name: get_or_create(keystone.roles, name) for name in ROLES}
    project = get_or_create(keystone.projects, "service", domain="default")
    for service_type, (name, url) in services.items():
        user = get_or_create(
            keystone.users, name, domain="default", password=password, default_project=project
        )
        for role in SERVICE_ROLES:
            keystone.roles.grant(roles[role], user=user, project=project)
        service = get_or_create(keystone.services, name, type=service_type)
        endpoints = {e.interface: e for e in keystone.endpoints.list(service=service)}
        for interface in INTERFACES:
            if interface not in endpoints:
                keystone.endpoints.create(service, url, interface=interface, region=region)
            elif endpoints[interface].url != url:
                keystone.endpoints.update(endpoints[interface], url=url)


def unregister(keystone, service_type, name):
    for service in keystone.services.list(type=service_type):
        for endpoint in keystone.endpoints.list(service=service):
            keystone.endpoints.delete(endpoint)
        keystone.services.delete(service)
    for user in keystone.users.list():
        if user.name == name:
            keystone.users.delete(user)


def main():
    auth_url, password, region, action, *arguments = sys.argv[1:]
    admin = v3.Password(
        auth_url=auth_url,
        username="admin",
        password=password,
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
    )
    keystone = client.Client(session=session.Session(admin))
    if action == "register":
        register(keystone, password, region, json.loads(arguments[0]))
    else:
        unregister(keystone, *arguments)


if __name__ == "__main__":
    main()
