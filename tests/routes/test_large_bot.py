"""A bot of 9,000 rules (600 KB): saved, looked at and read while everything else goes on."""

import random
from pathlib import Path

import pytest

from app import documents
from tests.routes.visiting import visiting

pytestmark = pytest.mark.anyio
RULES = 9_000
RULE = "  - name: rule {n}\n    when: {{says: word{n}}}\n    do: [{{say: {answer} {n}}}]\n"


def large(rules: int = RULES, answer: str = "Answer") -> str:
    """A document with this many rules."""
    body = "".join(RULE.format(n=n, answer=answer) for n in range(rules))
    return f"bot: Large\nlanguage: en\nrules:\n{body}fallback: {{do: [{{say: Sorry?}}]}}\n"


async def test_a_bot_of_9000_rules_is_read_once_to_save_and_to_show_it(tmp_path: Path) -> None:
    """What that costs is measured in `tests/bench/test_large_bot.py`."""
    async with visiting(tmp_path) as visit:
        bot = await visit.one("select min(id) from bot")
        documents.read.cache_clear()
        revision = await visit.one("select draft_revision from bot where id = :id", id=bot)
        saved = await visit.post(f"/bots/{bot}", {"text": large(), "revision": str(revision)})
        assert saved.status_code == 303 and await visit.one("select name from bot where id = :id", id=bot) == "Large"
        page = await visit.get(f"/bots/{bot}")
        assert page.status_code == 200 and "rule 499" in page.text and "8,501 more are in the document." in page.text
        assert documents.read.cache_info().misses == 1


def test_a_comparison_is_right_where_everything_changed() -> None:
    changed = [line.kind for line in documents.diff(large(), large(answer="Reply"))]
    assert changed.count("gone") == changed.count("added") == RULES


@pytest.mark.parametrize("seed", range(200))
def test_a_comparison_puts_the_new_text_together_from_the_old_one(seed: int) -> None:
    """What is the same or added is the new text, what is the same or gone the old one."""
    chance = random.Random(seed)
    old = [chance.choice("abcdefghijklmnopqrst") for _ in range(chance.randrange(30))]
    new = (
        [chance.choice("abcdefghijklmnopqrst") for _ in range(chance.randrange(30))] if seed % 2 else old[3:] + old[:3]
    )
    made: list[str] = []
    for tag, i1, i2, j1, j2 in documents.Comparison(None, old, new).get_opcodes():
        assert (tag == "equal") == (old[i1:i2] == new[j1:j2])
        made += old[i1:i2] if tag == "equal" else new[j1:j2]
    assert made == new
