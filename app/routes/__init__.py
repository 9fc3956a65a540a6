"""The site map: every address of the dashboard, its handler, its name and who may use it.

A page has its own address and always answers with a page; a fragment's address lies under its page. Actions are POST.
Ids in paths are written `{id:id}`: digits in the address, an int in `request.path_params`.
"""

from typing import Final

from app.routes import (
    account,
    bots,
    channels,
    health,
    home,
    inbox,
    keeping,
    login,
    media,
    replay,
    settings,
    setup,
    simulator,
    stepping,
    unanswered,
)
from app.routes.site import UPLOAD, Entry
from app.security.permissions import Action

SELF, READ, ANSWER, BUILD = Action.SELF, Action.READ, Action.ANSWER, Action.BUILD
CONNECT, ADMINISTER = Action.CONNECT, Action.ADMINISTER
DOCUMENT: Final = 4_000_000  # a bot document, as a form encodes it

ROUTES: Final[tuple[Entry, ...]] = (
    # Coming in
    Entry("GET", "/setup", setup.show, "setup", None),
    Entry("POST", "/setup", setup.create, "setup.create", None),
    Entry("GET", "/setup/business", setup.business, "setup.business", Action.OWN),
    Entry("POST", "/setup/business", setup.save_business, "setup.save_business", Action.OWN),
    Entry("GET", "/login", login.show, "login", None),
    Entry("POST", "/login", login.enter, "login.enter", None),
    Entry("POST", "/logout", login.leave, "logout", SELF),
    Entry("GET", "/confirm", login.ask_again, "confirm", SELF),
    Entry("POST", "/confirm", login.confirm, "confirm.enter", SELF),
    # One's own account
    Entry("GET", "/account", account.show, "account", SELF),
    Entry("POST", "/account", account.update, "account.update", SELF),
    Entry("POST", "/account/password", account.set_password, "account.password", SELF),
    Entry("POST", "/account/sessions/end", account.end_session, "account.end_session", SELF),
    # Home
    Entry("GET", "/", home.show, "home", READ),
    Entry("GET", "/home/tiles", home.tiles, "home.tiles", READ),
    Entry("GET", "/home/attention", home.attention, "home.attention", READ),
    Entry("GET", "/home/now", home.now, "home.now", READ),
    Entry("GET", "/home/channels", home.channels, "home.channels", READ),
    Entry("POST", "/home/quarantine", home.dismiss, "home.dismiss", CONNECT),
    # Inbox
    Entry("GET", "/inbox", inbox.index, "inbox", READ),
    Entry("GET", "/inbox/list", inbox.rows, "inbox.rows", READ),
    Entry("GET", "/inbox/more", inbox.more, "inbox.more", READ),
    Entry("GET", "/inbox/{id:id}", inbox.show, "inbox.show", READ),
    Entry("GET", "/inbox/{id:id}/thread", inbox.thread, "inbox.thread", READ),
    Entry("GET", "/inbox/{id:id}/older", inbox.older, "inbox.older", READ),
    Entry("GET", "/inbox/{id:id}/head", inbox.bar, "inbox.head", READ),
    Entry("GET", "/inbox/{id:id}/composer", inbox.composer, "inbox.composer", READ),
    Entry("GET", "/inbox/{id:id}/why", inbox.why, "inbox.why", READ),
    Entry("GET", "/inbox/{id:id}/steps", stepping.show, "stepping", READ),
    Entry("POST", "/inbox/{id:id}/reply", inbox.reply, "inbox.reply", ANSWER),
    Entry("POST", "/inbox/{id:id}/take", inbox.take, "inbox.take", ANSWER),
    Entry("POST", "/inbox/{id:id}/give-back", inbox.give_back, "inbox.give_back", ANSWER),
    Entry("POST", "/inbox/{id:id}/close", inbox.close, "inbox.close", ANSWER),
    Entry("POST", "/inbox/messages/{id:id}/resend", inbox.resend, "inbox.resend", ANSWER),
    Entry("POST", "/inbox/messages/{id:id}/discard", inbox.discard, "inbox.discard", ANSWER),
    Entry("POST", "/inbox/files/{id:id}/again", inbox.fetch_again, "inbox.fetch_again", ANSWER),
    Entry("GET", "/media/{id:id}", media.show, "media", READ),
    # Channels
    Entry("GET", "/channels", channels.index, "channels", READ),
    Entry("GET", "/channels/list", channels.listing, "channels.list", READ),
    Entry("GET", "/channels/new", channels.kinds, "channels.new", CONNECT),
    Entry("GET", "/channels/new/{kind}", channels.new, "channels.connect", CONNECT, fresh=True),
    Entry("POST", "/channels/new/{kind}", channels.create, "channels.create", CONNECT, fresh=True),
    Entry("GET", "/channels/{id:id}", channels.show, "channels.show", READ),
    Entry("POST", "/channels/{id:id}", channels.update, "channels.update", CONNECT, fresh=True),
    Entry("GET", "/channels/{id:id}/guide", channels.guide, "channels.guide", READ),
    Entry("POST", "/channels/{id:id}/bot", channels.choose, "channels.choose", BUILD),
    Entry("POST", "/channels/{id:id}/test", channels.test, "channels.test", CONNECT),
    Entry("POST", "/channels/{id:id}/remove", channels.remove, "channels.remove", CONNECT, fresh=True),
    # Bots and the simulator
    Entry("GET", "/bots", bots.index, "bots", READ),
    Entry("POST", "/bots", bots.create, "bots.create", BUILD),
    Entry("GET", "/bots/list", bots.listing, "bots.list", READ),
    Entry("POST", "/bots/import", bots.upload, "bots.import", BUILD, body=UPLOAD),
    Entry("GET", "/bots/{id:id}", bots.show, "bots.show", READ),
    Entry("POST", "/bots/{id:id}", bots.save, "bots.save", BUILD, body=DOCUMENT),
    Entry("POST", "/bots/{id:id}/check", bots.check, "bots.check", BUILD, body=DOCUMENT),
    Entry("POST", "/bots/{id:id}/keep", bots.keep, "bots.keep", BUILD, body=DOCUMENT),
    Entry("GET", "/bots/{id:id}/state", bots.state, "bots.state", READ),
    Entry("GET", "/bots/schema", bots.schema, "bots.schema", READ),
    Entry("GET", "/bots/{id:id}/export", bots.export, "bots.export", READ),
    Entry("GET", "/bots/{id:id}/versions", bots.versions, "bots.versions", READ),
    Entry("GET", "/bots/{id:id}/versions/{number:id}", bots.version, "bots.version", READ),
    Entry("GET", "/bots/{id:id}/diff", bots.diff, "bots.diff", READ),
    Entry("GET", "/bots/{id:id}/publish", bots.confirm, "bots.publish", BUILD),
    Entry("POST", "/bots/{id:id}/publish", bots.publish, "bots.put_live", BUILD),
    Entry("POST", "/bots/{id:id}/tests", keeping.add_test, "bots.add_test", BUILD),
    Entry("GET", "/bots/{id:id}/replay", replay.show, "bots.replay", BUILD),
    Entry("POST", "/bots/{id:id}/replay", replay.begin, "bots.begin_replay", BUILD),
    Entry("GET", "/bots/{id:id}/replay/summary", replay.summary, "bots.replay_summary", BUILD),
    Entry("POST", "/bots/{id:id}/replay/cancel", replay.cancel, "bots.cancel_replay", BUILD),
    Entry("GET", "/bots/{id:id}/unanswered", unanswered.show, "bots.unanswered", READ),
    Entry("POST", "/bots/{id:id}/unanswered/rule", unanswered.make_rule, "bots.make_rule", BUILD),
    Entry("POST", "/bots/{id:id}/unanswered/ignore", unanswered.ignore, "bots.ignore", BUILD),
    Entry("POST", "/bots/{id:id}/unanswered/again", unanswered.show_again, "bots.show_again", BUILD),
    Entry("POST", "/bots/{id:id}/rollback", bots.roll_back, "bots.roll_back", BUILD),
    Entry("GET", "/simulator", simulator.show, "simulator", BUILD),
    Entry("GET", "/simulator/screen", simulator.screen, "simulator.screen", BUILD),
    Entry("GET", "/simulator/reasons", simulator.reasons, "simulator.reasons", BUILD),
    Entry("POST", "/simulator/say", simulator.say, "simulator.say", BUILD),
    Entry("POST", "/simulator/over", simulator.start_over, "simulator.start_over", BUILD),
    # Settings
    Entry("GET", "/settings", settings.show, "settings", READ),
    Entry("POST", "/settings", settings.update, "settings.update", ADMINISTER),
    Entry("POST", "/settings/people", settings.add_person, "settings.add_person", ADMINISTER, fresh=True),
    Entry("POST", "/settings/people/{id:id}/role", settings.change_role, "settings.role", ADMINISTER, fresh=True),
    Entry(
        "POST",
        "/settings/people/{id:id}/password",
        settings.reset_password,
        "settings.reset_password",
        ADMINISTER,
        fresh=True,
    ),
    Entry("POST", "/settings/people/{id:id}/disable", settings.disable, "settings.disable", ADMINISTER, fresh=True),
    Entry("POST", "/settings/people/{id:id}/enable", settings.enable, "settings.enable", ADMINISTER, fresh=True),
    # Machinery
    Entry("GET", "/nav/waiting", account.waiting, "nav.waiting", READ),
    Entry("GET", "/healthz", health.healthz, "healthz", None, machine=True),
    Entry("GET", "/readyz", health.readyz, "readyz", None, machine=True),
    Entry("GET", "/metrics", health.metrics, "metrics", None, machine=True),
)
