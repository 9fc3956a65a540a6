"""What the command line can do to an installation, by name: the same functions whether it runs or rests.

Each takes the runtime and plain values and returns what JSON can hold, ids as strings. Nothing here prints.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from app import doctor
from app.commands import bots, channels, people

COMMANDS: Final[dict[str, Callable[..., Awaitable[Any]]]] = {
    "setup": people.set_up,
    "user.add": people.add_user,
    "user.list": people.list_users,
    "user.disable": people.disable_user,
    "user.limit": people.limit_user,
    "user.reset-password": people.reset_password,
    "user.reset-two-step": people.reset_two_step,
    "team.add": people.add_team,
    "team.list": people.list_teams,
    "team.remove": people.remove_team,
    "team.join": people.join_team,
    "team.leave": people.leave_team,
    "team.limit": people.limit_team,
    "channel.add": channels.add_channel,
    "channel.list": channels.list_channels,
    "channel.show": channels.show_channel,
    "channel.set": channels.set_channel,
    "channel.remove": channels.remove_channel,
    "channel.link": channels.link_channel,
    "channel.unlink": channels.unlink_channel,
    "secret.set": channels.set_secrets,
    "secret.list": channels.list_secrets,
    "secret.remove": channels.remove_secret,
    "bot.import": bots.import_bot,
    "bot.around": bots.around,
    "bot.export": bots.export_bot,
    "bot.publish": bots.publish_bot,
    "bot.replay": bots.replay_bot,
    "bot.list": bots.list_bots,
    "demo": bots.fill_demo,
    "demo.remove": bots.remove_demo,
    "token.create": people.create_token,
    "audit.verify": people.verify_audit,
    "keys.rotate": people.rotate_keys,
    "doctor": doctor.examine,
}
