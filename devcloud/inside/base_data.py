"""What every test needs: an image of 1 KiB and flavors of 1, 2, 4 and 8 vCPUs. Idempotent."""

import openstack


def main():
    cloud = openstack.connect()
    if not cloud.image.find_image("tiny"):
        cloud.image.create_image(
            name="tiny",
            container_format="bare",
            disk_format="raw",
            data=b"\0" * 1024,
            visibility="public",
            validate_checksum=False,
            allow_duplicates=True,
        )
    for vcpus in (1, 2, 4, 8):
        name = f"v{vcpus}"
        if not cloud.compute.find_flavor(name):
            cloud.compute.create_flavor(name=name, id=name, vcpus=vcpus, ram=256 * vcpus, disk=1)


if __name__ == "__main__":
    main()
