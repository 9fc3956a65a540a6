"""Telephone numbers as people write them: `+55 81 99999-0000`, and `(81) 99999-0000` to those at home there."""

import re
from typing import Final

import msgspec


class Plan(msgspec.Struct, frozen=True):
    """How the numbers of a country are written. `code` is its calling code; `forms` by the number of digits after it:
    the international form, and the one that is used at home (`#` stands for a digit)."""

    code: str
    forms: dict[int, tuple[str, str]]


def _plan(code: str, *forms: tuple[str, str]) -> Plan:
    return Plan(code, {abroad.count("#"): (abroad, home) for abroad, home in forms})


# By territory. Numbers of other countries, and of a length that is not here, are written in groups of three.
PLANS: Final[dict[str, Plan]] = {
    "US": _plan("1", ("### ###-####", "(###) ###-####")),
    "CA": _plan("1", ("### ###-####", "(###) ###-####")),
    "BR": _plan("55", ("## #####-####", "(##) #####-####"), ("## ####-####", "(##) ####-####")),
    "PT": _plan("351", ("### ### ###", "### ### ###")),
    "AO": _plan("244", ("### ### ###", "### ### ###")),
    "MZ": _plan("258", ("## ### ####", "## ### ####")),
    "ES": _plan("34", ("### ## ## ##", "### ## ## ##")),
    "MX": _plan("52", ("## #### ####", "## #### ####"), ("# ## #### ####", "## #### ####")),
    "AR": _plan("54", ("## ####-####", "## ####-####"), ("# ## ####-####", "# ## ####-####")),
    "CO": _plan("57", ("### #######", "### #######")),
    "CL": _plan("56", ("# #### ####", "# #### ####")),
    "PE": _plan("51", ("### ### ###", "### ### ###")),
    "FR": _plan("33", ("# ## ## ## ##", "0# ## ## ## ##")),
    "IT": _plan("39", ("### ### ####", "### ### ####")),
    "GB": _plan("44", ("#### ######", "0#### ######")),
    "IE": _plan("353", ("## ### ####", "0## ### ####")),
    "DE": _plan("49", ("### #######", "0### #######"), ("### ########", "0### ########")),
    "AT": _plan("43", ("### ######", "0### ######"), ("### #######", "0### #######")),
    "CH": _plan("41", ("## ### ## ##", "0## ### ## ##")),
    "NL": _plan("31", ("# ########", "0# ########")),
    "BE": _plan("32", ("### ## ## ##", "0### ## ## ##"), ("# ### ## ##", "0# ### ## ##")),
    "PL": _plan("48", ("### ### ###", "### ### ###")),
    "TR": _plan("90", ("### ### ## ##", "0### ### ## ##")),
    "IN": _plan("91", ("##### #####", "##### #####")),
    "ID": _plan("62", ("###-####-###", "0###-####-###"), ("###-####-####", "0###-####-####")),
    "IL": _plan("972", ("##-###-####", "0##-###-####"), ("#-###-####", "0#-###-####")),
    "EG": _plan("20", ("## ########", "0## ########")),
    "SA": _plan("966", ("## ### ####", "0## ### ####")),
    "AE": _plan("971", ("## ### ####", "0## ### ####")),
    "NG": _plan("234", ("### ### ####", "0### ### ####")),
    "ZA": _plan("27", ("## ### ####", "0## ### ####")),
    "KE": _plan("254", ("### ######", "0### ######")),
}
CODES: Final = {plan.code: plan for plan in PLANS.values()}
LONGEST_CODE: Final = 3


def written(phone: str, territory: str = "") -> str:
    """A number of 7 to 15 digits with its calling code, written for somebody who lives in the territory (a country
    code, '' for nobody in particular). What is no such number comes back as it is."""
    digits = re.sub(r"[\s()./+-]", "", phone)
    if not digits.isdecimal() or not 7 <= len(digits) <= 15:
        return phone
    plan = next((CODES[digits[:size]] for size in range(1, LONGEST_CODE + 1) if digits[:size] in CODES), None)
    rest = digits[len(plan.code) :] if plan else digits
    if plan is None or len(rest) not in plan.forms:
        return "+" + " ".join([*([plan.code] if plan else []), *_threes(rest)])
    abroad, home = plan.forms[len(rest)]
    own = PLANS.get(territory)
    if own is not None and own.code == plan.code:
        return _filled(home, rest)
    return f"+{plan.code} {_filled(abroad, rest)}"


def _threes(digits: str) -> list[str]:
    return [digits[at : at + 3] for at in range(0, len(digits), 3)]


def _filled(form: str, digits: str) -> str:
    """The form with digits for its signs, the last for the last; digits that it has no sign for are left out."""
    rest = iter(digits[len(digits) - form.count("#") :])
    return "".join(next(rest) if sign == "#" else sign for sign in form)
