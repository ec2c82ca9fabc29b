"""Who wrote what, by the database's own account: triggers, and an account for each engine.

Every row that belongs to a session is noted with the account that wrote it, inside of the same
transaction. The owner of a session's lease locks the lease's row before anything else, so that the
notes of a session are in the order in which its owners followed each other.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Row, text

from tests.servers.databases import DatabaseServer

ENGINE = "engine"
"""How the names of engines' accounts begin; others, such as the API's, write what they may."""

TABLES = (
    "leases",
    "session_hosts",
    "session_instances",
    "session_projects",
    "moves",
    "action_runs",
    "messages",
    "deliveries",
    "timeline",
)

_MARIADB = """
CREATE TRIGGER {table}_{event} AFTER {event} ON {table} FOR EACH ROW
INSERT INTO audit (who, place, session_id, owner, epoch)
VALUES (SUBSTRING_INDEX(USER(), '@', 1), '{table}', NEW.session_id, {owner}, {epoch})
"""
_POSTGRESQL = """
CREATE FUNCTION {table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO audit (who, place, session_id, owner, epoch)
VALUES (session_user, '{table}', NEW.session_id, {owner}, {epoch}); RETURN NULL; END $$
"""


def install(server: DatabaseServer) -> None:
    """Begins to take notes; the schema must be there."""
    mariadb = server.name == "mariadb"
    ident = "BIGINT AUTO_INCREMENT" if mariadb else "BIGSERIAL"
    server.run(
        f"CREATE TABLE audit (id {ident} PRIMARY KEY, who VARCHAR(64), place VARCHAR(32), "
        "session_id VARCHAR(36), owner VARCHAR(64), epoch INTEGER)"
    )
    for table in TABLES:
        owner, epoch = ("NEW.owner", "NEW.epoch") if table == "leases" else ("NULL", "NULL")
        for event in ("insert", "update"):
            names = {"table": table, "event": event, "owner": owner, "epoch": epoch}
            if mariadb:
                server.run(_MARIADB.format(**names))
                continue
            server.run(_POSTGRESQL.format(**names))
            server.run(
                f"CREATE TRIGGER {table}_{event} AFTER {event} ON {table} FOR EACH ROW "
                f"EXECUTE FUNCTION {table}_{event}()"
            )


def account(server: DatabaseServer, name: str) -> str:
    """Makes an account; returns the URL of the database with it."""
    if server.name == "mariadb":
        server.run(f"CREATE USER {name}@'127.0.0.1'")
        server.run(f"GRANT ALL ON *.* TO {name}@'127.0.0.1'")
    else:
        server.run(f"CREATE ROLE {name} SUPERUSER LOGIN")
    return server.url_of(name)


def violations(server: DatabaseServer) -> Iterator[str]:
    """Each write of an engine that did not hold the session's lease at that moment."""
    holders: dict[str, tuple[str, int]] = {}
    for row in _notes(server):
        holder, epoch = holders.get(row.session_id, ("nobody", 0))
        if row.place == "leases" and row.epoch > epoch:
            holders[row.session_id] = (row.who, row.epoch)
        elif row.who.startswith(ENGINE) and row.who != holder:
            yield f"note {row.id}: {row.who} writes {row.place} of {row.session_id}, not {holder}"


def _notes(server: DatabaseServer) -> Sequence[Row[tuple[int, str, str, str, str, int]]]:
    with server.connect() as connection:
        query = "SELECT id, who, place, session_id, owner, epoch FROM audit ORDER BY id"
        return connection.execute(text(query)).all()
