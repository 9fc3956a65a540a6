"""A browser as a person uses it, and what it noticed: errors, policy violations, dialogs, requests elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.house import EMAIL, PASSWORD, House

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--font-render-hinting=none", "--mute-audio",
]  # fmt: skip
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    path = os.environ.get("PARLEY_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """One person's browser window on a house."""

    def __init__(
        self,
        browser: Browser,
        house: House,
        *,
        theme: str = "light",
        size: dict[str, int] = DESKTOP,
        scripts: bool = True,
    ) -> None:
        phone = size is PHONE
        self.house = house
        self.context: BrowserContext = browser.new_context(
            viewport=size, color_scheme=theme, base_url=house.url, has_touch=phone, is_mobile=phone,
            device_scale_factor=2 if phone else 1, timezone_id="America/Sao_Paulo", java_script_enabled=scripts,
        )  # fmt: skip
        self.context.add_init_script(WATCH)
        self.noticed: list[str] = []
        self.page: Page = self.open()

    def open(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda said: self._console(said))
        page.on("pageerror", lambda error: self.noticed.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.noticed.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._request(request.url))
        return page

    def _console(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.noticed.append(f"{said.type}: {said.text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.house.url, "data:", "blob:")):
            self.noticed.append(f"request: {url}")

    def log_in(self, email: str = EMAIL, password: str = PASSWORD) -> None:
        """With the form the first time in a house; afterwards with the cookies that this gave, while they are good."""
        self.context.add_cookies(self.house.sessions.get(email, []))
        self.page.goto("/login")
        if "/login" not in self.page.url:
            return
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        self.house.sessions[email] = list(self.context.cookies())

    def go(self, path: str) -> Page:
        """Open a page of the house and wait until it is drawn."""
        self.page.goto(path)
        self.page.locator("main").wait_for()
        return self.page

    def complaints(self) -> list[str]:
        """Everything that went wrong in any window so far, policy violations included."""
        found = list(self.noticed)
        for page in self.context.pages:
            found += [f"policy: {text}" for text in page.evaluate("window.violations || []")]
        return found

    def close(self) -> None:
        self.context.close()


def hold(page: Page, part: str) -> None:
    """Requests to addresses with this part wait inside the page until `release`, whatever the machine's pace."""
    page.evaluate(
        """(part) => {
            const real = window.fetch;
            window.held = [];
            window.fetch = (where, ...more) => {
                if (!String(where).includes(part)) return real(where, ...more);
                return new Promise((go, fail) => {
                    held.push((lost) => (lost ? fail(new TypeError("lost")) : go(real(where, ...more))));
                });
            };
            window.unhold = () => { window.fetch = real; };
        }""",
        part,
    )


def release(page: Page, *, lost: bool = False) -> None:
    """Let the one that waits go, or fail as if the network were gone; none is held any more."""
    page.wait_for_function("held.length > 0")
    page.evaluate("(lost) => { unhold(); held.shift()(lost); }", lost)
