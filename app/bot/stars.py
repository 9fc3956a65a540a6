"""Patterns with stars: `Hi *!`."""


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says, `*` standing for anything. Linear in the text for each part."""
    first, *rest = pattern.strip().split("*")
    text = text.strip()
    if not rest:
        return text == first
    *middle, last = rest
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or end < len(first):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
