"""The JSON Schema made from the shapes: it knows every key, and refuses what the reader refuses for its form."""

import json

from app.bot.grammar import DOCUMENT, SAY, STEPS
from app.bot.schema import json_schema


def test_the_schema_knows_every_key_and_no_other() -> None:
    schema = json_schema()
    assert schema["required"] == ["bot"] and schema["additionalProperties"] is False
    assert list(schema["properties"]) == list(DOCUMENT.shapes)  # type: ignore[attr-defined]
    rule = schema["properties"]["rules"]["items"]
    assert rule["required"] == ["name", "when", "do"]
    assert rule["properties"]["do"] == {"$ref": "#/$defs/steps"}
    steps = schema["$defs"]["steps"]["items"]["anyOf"]
    assert [next(iter(step["required"])) for step in steps] == list(STEPS.verbs)
    assert list(steps[0]["properties"]) == list(SAY.shapes)


def test_the_schema_is_plain_json() -> None:
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
