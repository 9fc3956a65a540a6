"""The commands on people: users, teams, API keys, the audit log."""

from app.cli.given import Given, Row, call, read_password
from app.cli.output import rows, show
from app.i18n import _, ngettext

# ---- people ---------------------------------------------------------------------------------------------------------


def set_up(given: Given) -> int:
    made = call(given, "setup", email=given.email, name=given.name, password=read_password())
    return show(given, made, _("{email} owns this installation.").format(**made))


def add_user(given: Given) -> int:
    password = read_password() if given.password_stdin else None
    made = call(given, "user.add", email=given.email, name=given.name, role=given.role, password=password)
    return show(given, made, told_once(_("{email} was added as {role}.").format(**made), made))


def list_users(given: Given) -> int:
    heads = {"email": _("E-mail"), "name": _("Name"), "role": _("Role"), "disabled": _("Disabled")}
    return rows(given, call(given, "user.list"), heads, _("Nobody yet. Create the owner with: parley setup"))


def disable_user(given: Given) -> int:
    done = call(given, "user.disable", email=given.email)
    return show(given, done, _("{email} cannot log in any more.").format(**done))


def reset_password(given: Given) -> int:
    password = read_password() if given.password_stdin else None
    done = call(given, "user.reset-password", email=given.email, password=password)
    return show(given, done, told_once(_("{email} has a new password; every session is over.").format(**done), done))


def reset_two_step(given: Given) -> int:
    done = call(given, "user.reset-two-step", email=given.email)
    return show(given, done, _("{email} logs in with the password alone; every session is over.").format(**done))


def add_team(given: Given) -> int:
    return show(given, made := call(given, "team.add", name=given.team), _("The team {name} was added.").format(**made))


def list_teams(given: Given) -> int:
    heads = {"name": _("Name"), "members": _("Members")}
    return rows(given, call(given, "team.list"), heads, _("No teams yet. Add one with: parley team add NAME"))


def remove_team(given: Given) -> int:
    done = call(given, "team.remove", name=given.team)
    return show(given, done, _("The team {name} was removed.").format(**done))


def join_team(given: Given) -> int:
    done = call(given, "team.join", name=given.team, email=given.email)
    return show(given, done, _("{email} is in the team {name}.").format(**done))


def leave_team(given: Given) -> int:
    done = call(given, "team.leave", name=given.team, email=given.email)
    return show(given, done, _("{email} is not in the team {name} any more.").format(**done))


def told_once(sentence: str, made: Row) -> str:
    shown = _("Password, shown this once: {password}")
    return f"{sentence}\n{shown.format(**made)}" if "password" in made else sentence


def named(text: str) -> list[str]:
    """Channels by comma."""
    return [name.strip() for name in text.split(",") if name.strip()]


def limit_user(given: Given) -> int:
    done = call(given, "user.limit", email=given.email, channels=None if given.all else named(given.channels))
    return show(given, done, limit_told(given.email, done["channels"]))


def limit_team(given: Given) -> int:
    done = call(given, "team.limit", name=given.team, channels=None if given.all else named(given.channels))
    return show(given, done, limit_told(given.team, done["channels"]))


def limit_told(who: str, channels: list[str] | None) -> str:
    if channels is None:
        return _("{who} sees every channel.").format(who=who)
    return _("{who} sees {channels} and nothing else.").format(who=who, channels=", ".join(channels) or _("no channel"))


def create_token(given: Given) -> int:
    scopes = [scope for scope in given.scopes.split(",") if scope]
    channels = named(given.channels) if given.channels else None
    made = call(
        given, "token.create", name=given.name, scopes=scopes, days=given.expires, rate=given.rate, channels=channels
    )  # fmt: skip
    return show(given, made, made["key"])


def rotate_keys(given: Given) -> int:
    done = call(given, "keys.rotate")
    text = _("Key {kid} is in use now; {count} stored secrets were sealed with it.")
    if done["unreadable"]:
        text = _(
            "Key {kid} is in use now, but {unreadable} stored secrets open with no key and stay as they are; "
            "`parley doctor` names them. The older keys stay, too."
        )
    show(given, done, text.format(kid=done["key"], count=done["sealed"], unreadable=done["unreadable"]))
    return 1 if done["unreadable"] else 0


def verify_audit(given: Given) -> int:
    found = call(given, "audit.verify")
    if found["wrong"] is None:
        text = ngettext("{n} line, all in order.", "{n} lines, all in order.", found["lines"]).format(n=found["lines"])
    else:
        text = _("Line {n} does not fit: the log was changed after it was written.").format(n=found["wrong"])
    show(given, found, text)
    return 0 if found["wrong"] is None else 1
