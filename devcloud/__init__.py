"""A real OpenStack control plane with fake hypervisors, on 127.0.0.1 of one small machine.

Fenix is tested against the real Keystone, Placement, Glance, Neutron and Nova, because the
behaviour that matters to it (scheduling, migrations, allocations, faults, policies) lives in them
and no imitation has it all. Only the hypervisor under ``nova-compute`` is fake.

The driver (this package) uses nothing but the standard library and is run from the repository's
root as ``python3 -m devcloud COMMAND``. What runs inside OpenStack's own virtual environment is in
``inside/``. See README.md.
"""
