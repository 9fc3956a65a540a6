"""The templates of an account over Graph: listed, submitted, edited, deleted, and examples for their headers.
Contract §10 and §11."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from app.connectors.account import Draft, Listed, Submitted
from app.connectors.base import Channel, Problem, SendFailed
from app.connectors.whatsapp_cloud.graph import Graph, call, get
from app.connectors.wire import member, objects, string

FIELDS: Final = "id,name,language,status,category,parameter_format,components,quality_score,rejected_reason"
PAGE: Final = "100"
PAGES: Final = 100  # an account has at most 6,000


def account_of(channel: Channel) -> str:
    """The WhatsApp Business Account, as a piece of an address. Raises `SendFailed` where it is not entered."""
    account = channel.config.get("waba_id", "").strip()
    if not account:
        raise SendFailed(Problem("template.no_account"), certain=True, temporary=False)
    return quote(account, safe="")


async def listed(graph: Graph, channel: Channel) -> AsyncIterator[list[Listed]]:
    """By cursor: `next` holds the token and is not followed."""
    query = {"fields": FIELDS, "limit": PAGE}
    for _ in range(PAGES):
        told = await get(graph, f"{account_of(channel)}/message_templates", query)
        yield [found for one in objects(told, "data") if (found := _listed(one))]
        after = string(member(member(told, "paging"), "cursors"), "after")
        if not after or "next" not in member(told, "paging"):
            return
        query |= {"after": after}


def _listed(told: dict[str, Any]) -> Listed | None:
    provider_id, name = string(told, "id"), string(told, "name")
    if not provider_id or not name:
        return None
    reason = string(told, "rejected_reason")
    return Listed(
        provider_id,
        Draft(
            name, string(told, "language"), string(told, "category"), tuple(objects(told, "components")),
            string(told, "parameter_format").upper() == "NAMED",
        ),
        string(told, "status"),
        string(member(told, "quality_score"), "score"),
        "" if reason == "NONE" else reason,
    )  # fmt: skip


async def submit(graph: Graph, channel: Channel, draft: Draft) -> Submitted:
    body = _body(draft) | {"name": draft.name, "language": draft.language, "category": draft.category}
    told = await call(graph, "POST", f"{account_of(channel)}/message_templates", json=body)
    if not string(told, "id"):
        raise SendFailed(Problem("graph.garbled", detail="no id"), certain=False, temporary=True)
    return Submitted(string(told, "id"), string(told, "status"), string(told, "category") or draft.category)


async def edit(graph: Graph, provider_id: str, draft: Draft, *, category: bool) -> None:
    body = _body(draft) | ({"category": draft.category} if category else {})
    await call(graph, "POST", quote(provider_id, safe=""), json=body)


def _body(draft: Draft) -> dict[str, Any]:
    return {"parameter_format": "NAMED" if draft.named else "POSITIONAL", "components": list(draft.components)}


async def delete(graph: Graph, channel: Channel, provider_id: str, name: str) -> None:
    query = {"hsm_id": provider_id, "name": name}
    await call(graph, "DELETE", f"{account_of(channel)}/message_templates", params=query)


async def sample(graph: Graph, channel: Channel, file: Path, mime: str, filename: str) -> str:
    """An example goes up as a file of the app that the token belongs to, in one piece."""
    app = string(member(await get(graph, "debug_token", _asked(channel)), "data"), "app_id")
    about = {"file_length": str(file.stat().st_size), "file_type": mime, "file_name": filename}
    session = string(await call(graph, "POST", f"{quote(app, safe='')}/uploads", params=about), "id")
    headers = {"authorization": f"OAuth {channel.secrets.get('access_token', '')}", "file_offset": "0"}
    told = await call(graph, "POST", session, content=file.read_bytes(), headers=headers, seconds=120)
    if not string(told, "h"):
        raise SendFailed(Problem("graph.garbled", detail="no handle"), certain=True, temporary=True)
    return string(told, "h")


def _asked(channel: Channel) -> dict[str, str]:
    return {"input_token": channel.secrets.get("access_token", "")}
