"""A bot of 9,000 rules (600 KB): saved, looked at and read while everything else goes on."""

import asyncio
import time
from pathlib import Path

import pytest

from app import documents
from tests.routes.visiting import visiting

pytestmark = pytest.mark.anyio
RULES = 9_000
RULE = "  - name: rule {n}\n    when: {{says: word{n}}}\n    do: [{{say: Answer {n}}}]\n"


def large(rules: int = RULES, answer: str = "Sorry?") -> str:
    """A document with this many rules."""
    body = "".join(RULE.format(n=n) for n in range(rules))
    return f"bot: Large\nlanguage: en\nrules:\n{body}fallback: {{do: [{{say: {answer}}}]}}\n"


async def test_a_bot_of_9000_rules_is_saved_and_shown_quickly(tmp_path: Path) -> None:
    """By processor time, so that a busy machine changes nothing: 3 s to save, 1 s for the page."""
    async with visiting(tmp_path) as visit:
        bot = await visit.one("select min(id) from bot")
        documents.read.cache_clear()
        revision = await visit.one("select draft_revision from bot where id = :id", id=bot)
        begun = time.process_time()
        saved = await visit.post(f"/bots/{bot}", {"text": large(), "revision": str(revision)})
        took = time.process_time() - begun
        assert saved.status_code == 303 and await visit.one("select name from bot where id = :id", id=bot) == "Large"
        begun = time.process_time()
        page = await visit.get(f"/bots/{bot}")
        shown = time.process_time() - begun
        assert page.status_code == 200 and "rule 499" in page.text and "8,501 more are in the document." in page.text
        print(f"saved in {took:.2f} s, page of {len(page.content):,} bytes in {shown:.2f} s of processor time")
        assert took < 3 and shown < 1
