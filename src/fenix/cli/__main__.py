"""``python -m fenix.cli``: the same as `fenix`, where that is not on the path."""

from fenix.cli.main import main

main()
