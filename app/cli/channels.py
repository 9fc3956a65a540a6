"""The commands on channels and on the secrets that bots name."""

from typing import Any

from app.cli import output
from app.cli.given import Given, Row, call, read_paced, read_values
from app.cli.output import cell, rows, show
from app.errors import Invalid
from app.i18n import _, fmt
from app.said import N_

# ---- channels -------------------------------------------------------------------------------------------------------


def channel_kinds(given: Given) -> int:
    from app.connectors import CONNECTORS

    kinds = [connector for connector in CONNECTORS.values() if connector.settings]
    if given.json:
        output.as_json(
            [{"kind": c.kind, "label": c.label, "rate": c.default_rate, "settings": fields(c)} for c in kinds]
        )
        return 0
    for connector in kinds:
        output.say(f"{output.paint(connector.kind, 'bold')}: {connector.label}, rate={cell(connector.default_rate)}")
        for setting in connector.settings:
            notes = [
                word for word, holds in ((_("secret"), setting.secret), (_("optional"), not setting.required)) if holds
            ]
            output.say(f"  {setting.name}  {_(setting.help)}" + (f" ({', '.join(notes)})" if notes else ""))
    return 0


def fields(connector: Any) -> list[Row]:
    return [
        {"name": s.name, "label": s.label, "help": s.help, "secret": s.secret, "required": s.required}
        for s in connector.settings
    ]


def add_channel(given: Given) -> int:
    values, rate = read_paced(given.values)
    made = call(given, "channel.add", kind=given.kind, name=given.name, values=values, rate=rate)
    webhook = " " + _("Webhook: {address}").format(address=made["webhook"]) if made["webhook"] else ""
    links = " " + _("Link the phone: parley channel link “{name}”").format(name=made["name"]) if made["links"] else ""
    return show(given, made, _("“{name}” was added.").format(name=made["name"]) + webhook + links)


def link_channel(given: Given) -> int:
    if given.json:
        return show(given, call(given, "channel.link", name=given.channel, code=given.code, again=True), "")

    def ask(**values: Any) -> Row:
        told: Row = call(given, "channel.link", **values)
        return told

    from app.cli.linking import follow

    return follow(ask, given.channel, code=given.code)


def unlink_channel(given: Given) -> int:
    done = call(given, "channel.unlink", name=given.channel)
    return show(given, done, _("“{name}” is not linked any more.").format(**done))


def list_channels(given: Given) -> int:
    heads = {
        "name": _("Name"),
        "kind": _("Kind"),
        "account": _("Account"),
        "rate": _("Rate"),
        "state_text": _("State"),
    }
    return rows(given, [told(row) for row in call(given, "channel.list")], heads, _("No channels yet."))


def told(row: Row) -> Row:
    """A channel with its state in the language of the terminal."""
    return row | {"state_text": _(row["state_text"])}


def show_channel(given: Given) -> int:
    found = call(given, "channel.show", name=given.channel)
    lines = [f"{key}: {plain(value)}" for key, value in told(found).items() if key != "state"]
    return show(given, found, "\n".join(lines))


def plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={text}" for name, text in value.items()) or "-"
    return (", ".join(map(str, value)) or "-") if isinstance(value, list) else cell(value)


def set_channel(given: Given) -> int:
    values, rate = read_paced(given.values)
    if not values and rate is None and given.new_name is None:
        raise Invalid(N_("Say what to change: NAME=VALUE or --name."))
    done = call(given, "channel.set", name=given.channel, values=values, rate=rate, new_name=given.new_name)
    return show(given, done, _("“{name}” was changed.").format(**done))


def remove_channel(given: Given) -> int:
    done = call(given, "channel.remove", name=given.channel)
    return show(given, done, _("“{name}” was removed. Its conversations stay readable.").format(**done))


# ---- secrets --------------------------------------------------------------------------------------------------------


def set_secrets(given: Given) -> int:
    done = call(given, "secret.set", values=read_values(given.values))
    text = [(_("“{name}” was added.") if row["new"] else _("“{name}” has a new value.")).format(**row) for row in done]
    return show(given, done, "\n".join(text))


def list_secrets(given: Given) -> int:
    found = call(given, "secret.list")
    if not given.json:
        found = [row | {"changed_at": fmt.datetime(row["changed_at"])} for row in found]
    heads = {"name": _("Name"), "changed_at": _("Set"), "changed_by": _("By")}
    return rows(given, found, heads, _("No secrets yet. Add one with: parley secret set NAME=@file"))


def remove_secret(given: Given) -> int:
    done = call(given, "secret.remove", name=given.secret)
    return show(given, done, _("“{name}” was deleted.").format(**done))
