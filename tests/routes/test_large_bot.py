"""A bot of 9,000 rules (600 KB): saved, looked at and read while everything else goes on."""

import random
import time
from pathlib import Path

import pytest
import yaml

from app import documents
from tests.routes.visiting import visiting

pytestmark = pytest.mark.anyio
RULES = 9_000
RULE = "  - name: rule {n}\n    when: {{says: word{n}}}\n    do: [{{say: {answer} {n}}}]\n"


def large(rules: int = RULES, answer: str = "Answer") -> str:
    """A document with this many rules."""
    body = "".join(RULE.format(n=n, answer=answer) for n in range(rules))
    return f"bot: Large\nlanguage: en\nrules:\n{body}fallback: {{do: [{{say: Sorry?}}]}}\n"


def floor() -> float:
    """Seconds of processor time that it takes here and now to read the document as YAML, and nothing more."""
    begun = time.process_time()
    yaml.compose(large(), Loader=yaml.CSafeLoader)
    return time.process_time() - begun


async def test_a_bot_of_9000_rules_is_saved_and_shown_quickly(tmp_path: Path) -> None:
    """Processor time beside that of reading the YAML in the same minute, so that a slow machine changes nothing."""
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
        least = floor()
        print(f"saved in {took / least:.1f}, page of {len(page.content):,} bytes in {shown / least:.1f} floors")
        assert took < 6 * least and shown < 2 * least


def test_a_comparison_is_quick_and_right_whatever_changed() -> None:
    least, begun = floor(), time.process_time()
    changed = [line.kind for line in documents.diff(large(), large(answer="Reply"))]
    assert changed.count("gone") == changed.count("added") == RULES
    nothing_alike = documents.diff("same\nold\n" * RULES, "new\nsame\n" * RULES)
    assert time.process_time() - begun < 3 * least and nothing_alike


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
