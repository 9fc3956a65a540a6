"""Where a person may be sent after logging in: only to a path of ours (S22)."""

from urllib.parse import unquote

LONGEST = 500


def safe_path(target: str) -> str:
    """The target if it is a plain path here, else '/'."""
    decoded = unquote(target)
    plain = target.startswith("/") and len(target) <= LONGEST and target.isascii() and target.isprintable()
    sly = decoded.startswith("//") or "\\" in decoded or any(ord(char) < 32 or ord(char) == 127 for char in decoded)
    return target if plain and not sly and " " not in target else "/"
