"""Start the server with another `synchronous` than the product's, to show that the power-cut test can fail.

`python serve_with.py NORMAL serve`
"""

import sys

import app
from app.cli import main
from app.db import sqlite

assert app
chosen = sys.argv.pop(1)
if chosen != "FULL":
    build = sqlite.Sqlite.__init__
    sqlite.Sqlite.__init__ = lambda self, *args, **named: build(self, *args, synchronous=chosen, **named)
sys.exit(main())
