"""Who may come in and what may go out: passwords, sessions, keys, limits, headers."""
