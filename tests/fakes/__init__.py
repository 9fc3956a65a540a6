"""Stand-ins for what lies outside: each is a program of its own and imports nothing from `app`."""
