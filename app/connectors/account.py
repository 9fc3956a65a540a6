"""The optional part of the contract about an account: its templates, and what the network says of how it stands."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from app.said import Sentence


class Draft(msgspec.Struct, frozen=True):
    """A template to be submitted. `components` as in the provider's contract; `named`: its variables have names."""

    name: str
    language: str
    category: str
    components: tuple[dict[str, Any], ...]
    named: bool = False


class Listed(msgspec.Struct, frozen=True):
    """A template that the network has. `status` and `category` are the network's words; `quality`: GREEN, YELLOW, RED,
    UNKNOWN or ''; `reason`: why it was rejected."""

    provider_id: str
    draft: Draft
    status: str
    quality: str = ""
    reason: str = ""


class Submitted(msgspec.Struct, frozen=True):
    """The network's answer to a new template; it may choose another category than was asked for."""

    provider_id: str
    status: str
    category: str


class TemplateNews(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the network tells of a template; what is empty did not change. `coming`: the category that it will have;
    `rewritten`: its words are others now, and have to be asked for."""

    provider_id: str
    name: str = ""
    language: str = ""
    status: str = ""
    category: str = ""
    coming: str = ""
    quality: str = ""
    reason: str = ""
    rewritten: bool = False


class Fact(msgspec.Struct, frozen=True):
    """How the account stands in one respect, in the network's word. `rank`: a lower one than before is a fall, 0 is not
    compared; `concern`: people should look at it; `number`: digits of the account's number, where only that is told.
    An empty `value` takes the fact back."""

    name: str
    value: str
    detail: str = ""
    rank: int = 0
    concern: bool = False
    number: str = ""


class Known(msgspec.Struct, frozen=True):
    """Somebody in the account's own address book, with names by which the network knows them: (kind, value) pairs."""

    aliases: tuple[tuple[str, str], ...]
    name: str = ""
    phone: str = ""
    username: str = ""


News = TemplateNews | Fact | Known


@runtime_checkable
class KeepsTemplates(Protocol):
    """Optional, of a session: the network has templates for the account. Raises `SendFailed` (`certain` and
    `temporary` as for sends)."""

    def templates(self) -> AsyncIterator[list[Listed]]:
        """All of them, page by page."""

    async def submit_template(self, draft: Draft) -> Submitted: ...

    async def edit_template(self, provider_id: str, draft: Draft, *, category: bool) -> None:
        """`category`: it is to change, too."""

    async def delete_template(self, provider_id: str, name: str) -> None: ...

    async def sample(self, file: Path, mime: str, filename: str) -> str:
        """An example for a header's file: the handle by which a definition names it."""


@runtime_checkable
class ChecksTemplates(Protocol):
    """Optional, of a connector: the limits of its templates, before anything is submitted."""

    def check_template(self, draft: Draft) -> dict[str, Sentence]:
        """A sentence for each part that cannot be: name, language, category, header, body, footer, buttons,
        button.0…"""


@runtime_checkable
class TellsFacts(Protocol):
    """Optional, of a session: the network can be asked how the account stands. Raises `SendFailed`."""

    async def facts(self) -> list[Fact]: ...
