"""The JSON Schema made from the shapes: it knows every key, and refuses what the reader refuses for its form."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.bot.document import DocumentError, parse
from app.bot.grammar import DOCUMENT, SAY, STEPS
from app.bot.schema import json_schema
from tests.bot.test_language_page import EXAMPLES

STARTERS = sorted((Path(__file__).parents[2] / "app" / "bot" / "starters").glob("*.yaml"))
DOCUMENTS = [document for document, _ in EXAMPLES] + [path.read_text(encoding="utf-8") for path in STARTERS]
TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "integer": int, "number": (int, float)}


def test_the_schema_knows_every_key_and_no_other() -> None:
    schema = json_schema()
    assert schema["required"] == ["bot"] and schema["additionalProperties"] is False
    assert list(schema["properties"]) == list(DOCUMENT.shapes)
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


def misfits(value: Any, schema: Any, root: Any, at: str = "$") -> list[str]:
    """Where a value is not what the schema asks for, as far as ours use the standard."""
    if schema is True:
        return []
    if "$ref" in schema:
        return misfits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    found = [f"{at}: {key}" for key, holds in CHECKS.items() if key in schema and not holds(value, schema[key])]
    if "anyOf" in schema and all(misfits(value, one, root, at) for one in schema["anyOf"]):
        found.append(f"{at}: none of {len(schema['anyOf'])}")
    if isinstance(value, list) and "items" in schema:
        found += [miss for n, item in enumerate(value) for miss in misfits(item, schema["items"], root, f"{at}[{n}]")]
    for key in value if isinstance(value, dict) and "propertyNames" in schema else ():
        found += misfits(key, schema["propertyNames"], root, f"{at}.{key}")
    for key, item in value.items() if isinstance(value, dict) else ():
        found += misfits(item, of_key(schema, key), root, f"{at}.{key}")
    return found


def of_key(schema: Any, key: str) -> Any:
    patterns = [one for pattern, one in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
    found = schema.get("properties", {}).get(key, patterns[0] if patterns else schema.get("additionalProperties", True))
    return {"enum": []} if found is False else found


def is_type(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    plain = [name for name in names if not isinstance(value, bool) or name == "boolean"]
    return (value is None and "null" in names) or any(isinstance(value, TYPES[n]) for n in plain if n in TYPES)


CHECKS: dict[str, Any] = {
    "type": is_type,
    "enum": lambda value, given: any(value is one or (value == one and type(value) is type(one)) for one in given),
    "const": lambda value, given: value == given,
    "required": lambda value, given: not isinstance(value, dict) or set(given) <= set(value),
    "minItems": lambda value, given: not isinstance(value, list) or len(value) >= given,
    "maxItems": lambda value, given: not isinstance(value, list) or len(value) <= given,
    "minProperties": lambda value, given: not isinstance(value, dict) or len(value) >= given,
    "maxProperties": lambda value, given: not isinstance(value, dict) or len(value) <= given,
    "maxLength": lambda value, given: not isinstance(value, str) or len(value) <= given,
    "pattern": lambda value, given: not isinstance(value, str) or re.search(given, value) is not None,
    "minimum": lambda value, given: isinstance(value, bool | str | list | dict) or value is None or value >= given,
    "maximum": lambda value, given: isinstance(value, bool | str | list | dict) or value is None or value <= given,
}


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_every_document_that_is_read_fits_the_schema(number: int) -> None:
    schema = json_schema()
    assert misfits(yaml.load(DOCUMENTS[number], yaml.CSafeLoader), schema, schema) == []


@pytest.mark.parametrize(
    "step",
    [
        "{say: {english: x}}",
        "{say: {en: {pt: x}}}",
        "{location: {latitude: 1}}",
        "{contact: {name: a, fax: 1}}",
        "{random: [[{say: a}]]}",
        "{template: NOT, language: en}",
        "{template: t, language: English}",
        "{handoff: {team: a}}",
        "{say: a, quote: no}",
        "{opt_out: false}",
        "{note: [a]}",
    ],
)
def test_what_the_reader_refuses_for_its_form_does_not_fit_the_schema(step: str) -> None:
    text = f"bot: T\nlanguage: en\nrules: [{{name: r, when: {{says: x}}, do: [{step}]}}]\n"
    schema = json_schema()
    assert misfits(yaml.load(text, yaml.CSafeLoader), schema, schema)
    with pytest.raises(DocumentError):
        parse(text)


def words_of(schema: Any) -> set[str]:
    """The keywords that a schema uses."""
    if not isinstance(schema, dict):
        return set()
    inner = [one for key in ("properties", "patternProperties", "$defs") for one in schema.get(key, {}).values()]
    inner += [*schema.get("anyOf", []), schema.get("items"), schema.get("additionalProperties")]
    inner.append(schema.get("propertyNames"))
    return set(schema).union(*map(words_of, inner))


def test_no_keyword_is_left_unchecked_here() -> None:
    structure = {"$schema", "$defs", "$ref", "title", "properties", "patternProperties", "additionalProperties"}
    assert words_of(json_schema()) <= structure | {"items", "anyOf", "propertyNames"} | set(CHECKS)
