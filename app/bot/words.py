"""How a message is read: folded letters and words, the same for every language.

Case and accents do not count. A word is a run of letters and digits; an emoji is a word; in scripts written without
spaces (Chinese, Japanese, Korean, Thai…) every character is one, so a phrase is found anywhere in the text.
"""

import re
import unicodedata

# Nobody writes more in one message; what is beyond is not read by rules.
READ_LIMIT = 4096
MOST_WORDS = 1_000

_ASCII_WORD = re.compile(r"[a-z0-9_]+")
# Between the words of a plain text: the same as the pattern says, in a third of its time.
_ASCII_GAPS = {code: " " for code in range(128) if not _ASCII_WORD.match(chr(code)) and not chr(code).isupper()}
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u09d7"
    "\u0a01-\u0a03\u0a3c-\u0a4d\u0a70\u0a71\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b4d\u0b82\u0bbe-\u0bcd"
    "\u0c00-\u0c04\u0c3c-\u0c4d\u0c81-\u0c83\u0cbc-\u0ccd\u0d00-\u0d03\u0d3b-\u0d4d\u0d81-\u0d83\u0dca-\u0ddf"
    "\u0f18-\u0f1f\u0f35-\u0f39\u0f71-\u0f84\u0f90-\u0fbc\u1885-\u18a9"
)
_SPACELESS = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e80-\u0eb0\u0eb2\u0eb3\u0ec0-\u0ec6\u1000-\u102a\u1780-\u17b3"
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_SPACELESS_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b4-\u17d3\u3099\u309a"
)
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\U0001f000-\U0001faff"
)
_WORD = re.compile(
    f"[{_SPACELESS}][{_SPACELESS_MARKS}]*|[\U0001f1e6-\U0001f1ff]{{2}}|[{_EMOJI}]"
    f"|(?:(?![{_SPACELESS}{_EMOJI}])[\\w{_MARKS}])+"
)
# Accents, Arabic and Hebrew vowel signs, joiners, skin tones and the marks that make an emoji of a digit.
_DROPPED = re.compile(
    "[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u200b-\u200f\u202a-\u202e\u2060-\u2069\u20e3\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]+"
)
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ى": "ي", "ی": "ي", "ک": "ك"}
)
# Letters that people also write as two, by language: `fuer` is `für`, and so both are read as `fur`.
_PAIRS = {
    "de": re.compile("(a|o|(?<![aeq])u)e"),
    "da": re.compile("(a)a|(o)e"),
    "nb": re.compile("(a)a|(o)e"),
    "nn": re.compile("(a)a|(o)e"),
    "no": re.compile("(a)a|(o)e"),
    "sv": re.compile("(a)a|(o)e"),
}
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")


def paired(language: str) -> str:
    """What `fold` and `words` need to know of a language like `de-AT`: `de`; '' where it makes no difference."""
    name = language.partition("-")[0].lower()
    return name if name in _PAIRS else ""


def fold(text: str, pairs: str = "") -> str:
    """The text as rules compare it: no case, no accents, digits of every script as 0 to 9. `pairs`: the language whose
    letters written as two are one."""
    if pairs:
        return _PAIRS[pairs].sub(lambda found: found.group(found.lastindex or 0), fold(text))
    if text.isascii():
        return text.lower()
    plain = _DROPPED.sub("", unicodedata.normalize("NFKD", text.casefold()))
    plain = unicodedata.normalize("NFC", plain.casefold()).translate(_LETTERS)
    return _FOREIGN_DIGIT.sub(lambda found: str(unicodedata.digit(found.group())), plain)


def words(text: str, pairs: str = "") -> list[str]:
    """The words of a text, folded, in order: the first `MOST_WORDS` in the first `READ_LIMIT` characters."""
    text = text[:READ_LIMIT]
    if text.isascii() and not pairs:
        return text.lower().translate(_ASCII_GAPS).split()[:MOST_WORDS]
    folded = fold(text, pairs)
    return (_ASCII_WORD if folded.isascii() else _WORD).findall(folded)[:MOST_WORDS]
