"""Parley. Importing any part of it first settles which SQLite the process uses."""

from app.db.library import choose_sqlite

choose_sqlite()
