"""The site map: every address of the dashboard, its handler, its name and who may use it.

A page has its own address and always answers with a page; a fragment's address lies under its page. Actions are POST.
Ids in paths are written `{id:id}`: digits in the address, an int in `request.path_params`.
"""

from typing import Final

from app.routes import account, health, login, setup
from app.routes.site import Entry
from app.security.permissions import Action

SELF, READ = Action.SELF, Action.READ

ROUTES: Final[tuple[Entry, ...]] = (
    # Coming in
    Entry("GET", "/setup", setup.show, "setup", None),
    Entry("POST", "/setup", setup.create, "setup.create", None),
    Entry("GET", "/login", login.show, "login", None),
    Entry("POST", "/login", login.enter, "login.enter", None),
    Entry("POST", "/logout", login.leave, "logout", SELF),
    # One's own account
    Entry("GET", "/account", account.show, "account", SELF),
    Entry("POST", "/account", account.update, "account.update", SELF),
    Entry("POST", "/account/password", account.set_password, "account.password", SELF),
    Entry("POST", "/account/sessions/end", account.end_session, "account.end_session", SELF),
    # Machinery
    Entry("GET", "/nav/waiting", account.waiting, "nav.waiting", READ),
    Entry("GET", "/healthz", health.healthz, "healthz", None, machine=True),
    Entry("GET", "/readyz", health.readyz, "readyz", None, machine=True),
    Entry("GET", "/metrics", health.metrics, "metrics", None, machine=True),
)
