"""The history of the schema, one file for each step, run by `fenix.store.migrate`."""
