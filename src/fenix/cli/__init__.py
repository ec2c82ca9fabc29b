"""The `fenix` command.

Each module has a function `register`, which adds its commands; see `fenix.cli.main`. Modules here
import little: what a command needs is imported when it is called, so that others start fast.
"""
