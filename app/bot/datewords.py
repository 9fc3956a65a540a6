"""The words by which people name days and times, folded as `app.bot.words` folds them, by language."""

from typing import Final

import msgspec


class DateWords(msgspec.Struct, frozen=True):
    """`days`: words of Monday to Sunday; `months`: January to December; `near`: days from today; `units`: `minute`,
    `hour`, `day`, `week`, `month`; `numbers`: 1 to 12 in words; `next`: the one that comes; `times`: minutes of the
    day; `late`, `early`: the hour is one after, or before, noon; `half`: half an hour after an hour, `half_to` before
    one; `on`: what stands before a day of the month alone; `at`: before an hour; `clock`: after one. `phrases` stand
    for one word each."""

    days: tuple[frozenset[str], ...]
    months: tuple[frozenset[str], ...]
    near: dict[str, int]
    units: dict[str, str]
    numbers: dict[str, int]
    next: frozenset[str]
    times: dict[str, int]
    late: frozenset[str]
    early: frozenset[str]
    half: frozenset[str] = frozenset()
    half_to: frozenset[str] = frozenset()
    on: frozenset[str] = frozenset()
    at: frozenset[str] = frozenset()
    clock: frozenset[str] = frozenset()
    phrases: dict[str, str] = {}


def _sets(text: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(words.split("|")) for words in text.split())


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _units(**words: str) -> dict[str, str]:
    return {word: unit for unit, text in words.items() for word in text.split()}


def _numbers(text: str) -> dict[str, int]:
    return {word: number for number, words in enumerate(text.split(), 1) for word in words.split("|")}


SOON: Final = frozenset("in within em daqui dentro en dans".split())  # before how long from now

WORDS: Final = {
    "en": DateWords(
        _sets("monday|mon tuesday|tue|tues wednesday|wed thursday|thu|thur|thurs friday|fri saturday|sat sunday|sun"),
        _sets(
            "january|jan february|feb march|mar april|apr may june|jun july|jul august|aug september|sep|sept "
            "october|oct november|nov december|dec"
        ),
        {"today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1, "overmorrow": 2, "yesterday": -1},
        _units(
            minute="minute minutes min mins", hour="hour hours hr hrs", day="day days", week="week weeks",
            month="month months",
        ),
        _numbers("one|a|an two three four five six seven eight nine ten eleven twelve"),
        _set("next coming"),
        {"noon": 720, "midday": 720, "midnight": 0},
        _set("pm afternoon evening tonight"),
        _set("am morning"),
        half=_set("half"),
        on=_set("the on"),
        at=_set("at around about by"),
        clock=_set("oclock h"),
        phrases={"day after tomorrow": "overmorrow", "a m": "am", "p m": "pm", "o clock": "oclock"},
    ),
    "pt": DateWords(
        _sets(
            "segunda|segundafeira|seg terca|tercafeira quarta|quartafeira|qua quinta|quintafeira|qui "
            "sexta|sextafeira sabado|sab domingo|dom"
        ),
        _sets(
            "janeiro|jan fevereiro|fev marco|mar abril|abr maio|mai junho|jun julho|jul agosto|ago setembro|set "
            "outubro|out novembro|nov dezembro|dez"
        ),
        {"hoje": 0, "amanha": 1, "depoisdeamanha": 2, "ontem": -1},
        _units(
            minute="minuto minutos min", hour="hora horas", day="dia dias", week="semana semanas", month="mes meses"
        ),
        _numbers("um|uma dois|duas tres quatro cinco seis sete oito nove dez onze doze"),
        _set("proxima proximo vem"),
        {"meiodia": 720, "meianoite": 0},
        _set("tarde noite"),
        _set("manha madrugada"),
        half=_set("meia"),
        on=_set("dia"),
        at=_set("as a"),
        clock=_set("h hs hora horas"),
        phrases={
            "depois de amanha": "depoisdeamanha", "meio dia": "meiodia", "meia noite": "meianoite",
            "segunda feira": "segunda", "terca feira": "terca", "quarta feira": "quarta", "quinta feira": "quinta",
            "sexta feira": "sexta",
        },
    ),
    "es": DateWords(
        _sets("lunes|lun martes|mart miercoles|mie jueves|jue viernes|vie sabado|sab domingo|dom"),
        _sets(
            "enero|ene febrero|feb marzo|mar abril|abr mayo|may junio|jun julio|jul agosto|ago "
            "septiembre|setiembre|sep octubre|oct noviembre|nov diciembre|dic"
        ),
        {"hoy": 0, "manana": 1, "pasadomanana": 2, "ayer": -1},
        _units(
            minute="minuto minutos min", hour="hora horas", day="dia dias", week="semana semanas", month="mes meses"
        ),
        _numbers("un|una|uno dos tres cuatro cinco seis siete ocho nueve diez once doce"),
        _set("proximo proxima viene"),
        {"mediodia": 720, "medianoche": 0},
        _set("tarde noche"),
        _set("temprano madrugada"),
        half=_set("media"),
        on=_set("dia el"),
        at=_set("las la"),
        clock=_set("h hs hora horas"),
        phrases={
            "pasado manana": "pasadomanana", "de la manana": "temprano", "por la manana": "temprano",
            "en la manana": "temprano", "medio dia": "mediodia", "media noche": "medianoche",
        },
    ),
    "de": DateWords(
        _sets("montag dienstag mittwoch donnerstag freitag samstag|sonnabend sonntag"),
        _sets(
            "januar|janner|jan februar|feb marz|mrz april|apr mai juni|jun juli|jul august|aug september|sep|sept "
            "oktober|okt november|nov dezember|dez"
        ),
        {"heute": 0, "morgen": 1, "ubermorgen": 2, "gestern": -1},
        _units(
            minute="minute minuten min", hour="stunde stunden std", day="tag tage tagen", week="woche wochen",
            month="monat monate monaten",
        ),
        _numbers("ein|eins|eine|einem|einer zwei drei vier funf sechs sieben acht neun zehn elf zwolf"),
        _set("nachste nachsten nachster nachstes kommende kommenden"),
        {"mittags": 720, "mittag": 720, "mitternacht": 0},
        _set("nachmittags nachmittag abends abend"),
        _set("morgens vormittags vormittag fruh"),
        half_to=_set("halb"),
        on=_set("am den"),
        at=_set("um gegen"),
        clock=_set("uhr h"),
        phrases={"am morgen": "morgens"},
    ),
    "fr": DateWords(
        _sets("lundi|lun mardi|mar mercredi|mer jeudi|jeu vendredi|ven samedi|sam dimanche|dim"),
        _sets(
            "janvier|janv fevrier|fev|fevr mars avril|avr mai juin juillet|juil aout septembre|sept octobre|oct "
            "novembre|nov decembre|dec"
        ),
        {"aujourdhui": 0, "demain": 1, "apresdemain": 2, "hier": -1},
        _units(
            minute="minute minutes min", hour="heure heures", day="jour jours", week="semaine semaines",
            month="mois",
        ),
        _numbers("un|une deux trois quatre cinq six sept huit neuf dix onze douze"),
        _set("prochain prochaine"),
        {"midi": 720, "minuit": 0},
        _set("apresmidi soir"),
        _set("matin"),
        half=_set("demie demi"),
        on=_set("le"),
        at=_set("a vers"),
        clock=_set("h heure heures"),
        phrases={"aujourd hui": "aujourdhui", "apres demain": "apresdemain", "apres midi": "apresmidi"},
    ),
}  # fmt: skip


def known(language: str) -> DateWords:
    """Those of a language; English where there are none."""
    return WORDS.get(language.lower().partition("-")[0], WORDS["en"])


def month_first(language: str) -> bool:
    """Whether 12/05 is the fifth of December: only for those who write English as in America."""
    return language.lower() in ("", "en", "en-us")
