"""How the database says no. Requests answer 503 and may be repeated; a schema or file not ours stops the start."""

from app.errors import Misconfigured, ParleyError, Unavailable


class DatabaseError(Unavailable):
    """Nothing of the unit was kept (but see UnknownOutcome). `code` is stable, the text is a sentence for people."""

    code = "database"
    sentence = "The database is not available."

    def __init__(self, sentence: str | None = None, *, code: str | None = None) -> None:
        super().__init__(sentence or self.sentence, code=code)


class Full(DatabaseError):
    code = "disk_full"
    sentence = "The disk is full. Free some space; Parley goes on by itself."


class Locked(DatabaseError):
    code = "database_locked"
    sentence = "Another program has locked the database. Close it; Parley goes on by itself."


class Broken(DatabaseError):
    """Reading or writing failed below us: disk, file, connection."""

    code = "database_io"
    sentence = "The database cannot be read or written. Check the disk or the database server."


class Corrupt(Broken):
    code = "database_corrupt"
    sentence = "The database file is damaged. Restore a backup."


class Moved(Broken):
    code = "database_moved"
    sentence = "The database file was moved, removed or replaced while in use. Put it back or restart Parley."


class UnknownOutcome(DatabaseError):
    """The commit may or may not have reached the disk. Repeating is safe: unique keys absorb it."""

    code = "unknown_outcome"
    sentence = "It is not known whether the change was stored. Repeating it is safe."


class Stopped(DatabaseError):
    code = "database_stopped"
    sentence = "Parley is shutting down."


class NewerSchema(DatabaseError, Misconfigured):
    """The database was written by a newer Parley. Nothing was touched. The process exits with status 78."""

    code = "newer_schema"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"The database has schema {found:04}, this Parley knows schemas up to {known:04}. "
            "Install the newer version again, or restore the copy made before the upgrade."
        )
        self.found, self.known = found, known


class NotOurs(DatabaseError, Misconfigured):
    """The file or schema belongs to another program. Nothing was touched."""

    code = "not_ours"
    sentence = "This database belongs to another program. Name another file."


class TooOld(DatabaseError, Misconfigured):
    """The server lacks what the SQL needs."""

    code = "database_too_old"


class InUse(DatabaseError, Misconfigured):
    """Another Parley process has this database."""

    code = "database_in_use"


class Violation(ParleyError):
    """A unique key, foreign key or check refused a row: a mistake in the unit, which alone is rolled back."""

    code = "constraint"
