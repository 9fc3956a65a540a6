"""The command line, with the installation at rest and running; the door between the two."""

import asyncio
import io
import json
import logging
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from app import control, vault
from app.cli import exit_code, main, reach
from app.db.sqlite_file import connect
from app.errors import Invalid, NotFound
from app.instance import Instance
from app.runtime import Runtime
from app.security import keyfile
from app.serving import commands

BOT = 'bot: Luna\nrules:\n  - name: greeting\n    when: {says: hi}\n    do: [{say: "Hello.", buttons: [Menu, Order]}]\n'
SECRETS = ("access_token=EAA-token", "app_secret=hush", "verify_token=plum")

Parley = Callable[..., tuple[int, str, str]]


@pytest.fixture
def parley(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Parley:
    """Run the command line on an installation of its own: (exit code, output, complaints)."""
    monkeypatch.setenv("PARLEY_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # `serve` takes them over

    def run(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        try:
            code = main(list(words))
        except SystemExit as end:  # argparse ends the process itself
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_the_owner_is_created_without_a_browser_and_only_once(parley: Parley) -> None:
    words = ("setup", "--email", "rosa@luna.example", "--name", "Rosa", "--password-stdin")
    assert parley(*words, typed="purple kettle walks nine\n")[0] == 0
    code, _out, complaint = parley(*words, typed="purple kettle walks nine\n")
    assert (code, "owner already" in complaint) == (1, True)
    listed = json.loads(parley("user", "list", "--json")[1])
    assert [(user["email"], user["role"]) for user in listed] == [("rosa@luna.example", "owner")]


def test_a_demo_is_filled_and_removed_while_nothing_runs(parley: Parley) -> None:
    code, out, err = parley("demo", "--starter", "restaurant", "--json")
    assert code == 0, err
    made = json.loads(out)
    assert (made["bot"], made["channel"]) == ("Restaurant", "Demo") and made["visits"] > 150
    assert parley("demo")[0] == 1 and parley("demo", "--starter", "zoo")[0] == 2
    code, out, _err = parley("demo", "--remove", "--json")
    assert (code, json.loads(out)) == (0, {"people": made["people"]})
    assert [bot["name"] for bot in json.loads(parley("bot", "list", "--json")[1])] == ["Restaurant"]
    assert parley("demo", "--remove")[0] == 1


def test_a_weak_password_is_wrong_usage(parley: Parley) -> None:
    code, _out, complaint = parley("setup", "--email", "rosa@luna.example", "--password-stdin", typed="12345\n")
    assert code == 2 and complaint


def test_people_are_added_with_a_password_told_once(parley: Parley) -> None:
    code, out, _err = parley("user", "add", "--email", "paulo@luna.example", "--role", "agent")
    assert code == 0 and "shown this once" in out
    assert parley("user", "disable", "paulo@luna.example")[0] == 0
    assert json.loads(parley("user", "list", "--json")[1])[0]["disabled"] is True
    assert parley("user", "disable", "nobody@luna.example")[0] == 1
    code, _out, err = parley("user", "reset-two-step", "paulo@luna.example")
    assert (code, "no two-step log-in" in err) == (1, True)


def test_teams_are_made_and_people_come_and_go(parley: Parley) -> None:
    parley("user", "add", "--email", "paulo@luna.example")
    assert parley("team", "add", "  Wedding   cakes ")[0] == 0
    assert parley("team", "add", "wedding CAKES")[0] == 1 and parley("team", "add", "a@b")[0] == 2
    assert parley("team", "join", "Wedding cakes", "paulo@luna.example")[0] == 0
    assert parley("team", "join", "Wedding cakes", "nobody@luna.example")[0] == 1
    listed = json.loads(parley("team", "list", "--json")[1])
    assert [(team["name"], team["members"]) for team in listed] == [("Wedding cakes", ["paulo@luna.example"])]
    assert "paulo@luna.example" in parley("team", "list")[1]
    assert parley("team", "leave", "wedding cakes", "paulo@luna.example")[0] == 0
    assert json.loads(parley("team", "list", "--json")[1])[0]["members"] == []
    assert parley("team", "remove", "Wedding cakes")[0] == 0
    assert parley("team", "remove", "Wedding cakes")[0] == 1
    assert "No teams yet" in parley("team", "list")[1]


def test_a_channel_takes_values_from_words_files_and_stdin_and_hides_its_secrets(
    parley: Parley, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("hush-from-file\n")
    words = (
        "phone_number_id=1",
        "access_token=-",
        f"app_secret=@{tmp_path / 'secret'}",
        "verify_token=plum",
        "rate=20",
    )
    code, out, err = parley("channel", "add", "whatsapp_cloud", "--name", "Shop", *words, typed="EAA-from-stdin\n")
    assert code == 0, err
    code, out, _err = parley("channel", "show", "shop", "--json")
    shown = json.loads(out)
    assert code == 0 and len(shown["key"]) >= 16 and shown["rate"] == 20
    assert shown["webhook"].endswith(f"/hooks/whatsapp/{shown['key']}")
    assert shown["secrets"] == ["access_token", "app_secret", "verify_token"]
    stored = (tmp_path / "data" / "parley.db").read_bytes()
    for secret in ("EAA-from-stdin", "hush-from-file"):
        assert secret not in out and secret.encode() not in stored


def test_a_secret_takes_its_value_from_a_file_or_stdin_and_never_tells_it(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hush-hush-from-file\n")
    code, out, err = parley(
        "secret", "set", f"shop_key=@{tmp_path / 'key'}", "bank_key=-", typed="hush-hush-from-stdin\n"
    )
    assert (code, out.count("added")) == (0, 2), err
    assert "new value" in parley("secret", "set", "bank_key=-", typed="hush-hush-again\n")[1]
    listed = parley("secret", "list", "--json")[1]
    assert [secret["name"] for secret in json.loads(listed)] == ["bank_key", "shop_key"]
    assert "hush" not in listed + parley("secret", "list")[1]
    stored = (tmp_path / "data" / "parley.db").read_bytes()
    assert b"hush" not in stored and b"shop_key" in stored
    assert parley("secret", "remove", "shop_key")[0] == 0
    assert parley("secret", "remove", "shop_key")[0] == 1
    assert [secret["name"] for secret in json.loads(parley("secret", "list", "--json")[1])] == ["bank_key"]


def test_publishing_names_the_secrets_that_calls_miss(parley: Parley, tmp_path: Path) -> None:
    call = 'call: {get: "https://shop.example/?key={{ secret.shop_key }}"}, failed: [{say: It failed.}]'
    file = tmp_path / "luna.yaml"
    file.write_text(BOT.replace("do: [", f"do: [{{{call}}}, "), encoding="utf-8")
    assert parley("bot", "import", str(file))[0] == 0
    code, _out, err = parley("bot", "publish", "Luna")
    assert (code, err.count("line 5: There is no secret “shop_key”")) == (0, 1)
    assert json.loads(parley("bot", "publish", "Luna", "--json")[1])["missing_secrets"][0]["line"] == 5
    assert parley("secret", "set", "shop_key=-", typed="hush-hush-hush\n")[0] == 0
    assert "secret" not in parley("bot", "publish", "Luna")[2]


def test_a_channel_is_renamed_keeps_its_old_name_and_is_removed(parley: Parley) -> None:
    assert parley("channel", "add", "whatsapp_cloud", "--name", "Shop", "phone_number_id=1", *SECRETS)[0] == 0
    assert parley("channel", "set", "Shop", "rate=0", "--name", "Store")[0] == 0
    assert json.loads(parley("channel", "show", "shop", "--json")[1])["name"] == "Store"
    assert "not paced" in parley("doctor")[1]
    assert parley("channel", "remove", "Store")[0] == 0
    assert parley("channel", "show", "Store")[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("channel", "add", "pigeon_post", "--name", "Shop"),
        ("channel", "add", "whatsapp_cloud", "--name", "Shop", "phone_number_id"),
        ("channel", "add", "whatsapp_cloud", "--name", "Shop", "phone_number_id=1"),
        ("channel", "add", "whatsapp_cloud", "--name", "Shop", "phone_number_id=1", *SECRETS, "rate=fast"),
        ("channel", "add", "whatsapp_cloud", "--name", "Shop", "phone_number_id=1", *SECRETS, "color=red"),
        ("channel", "set", "Shop"),
        ("secret", "set"),
        ("secret", "set", "shop_key"),
        ("secret", "set", "Shop=long-enough-value"),
        ("secret", "set", "shop_key=short"),
        ("channel", "list", "surplus"),
        ("bot", "import", "no-such-file.yaml"),
        ("fly",),
    ],
)
def test_wrong_words_exit_with_2_and_say_why(parley: Parley, words: tuple[str, ...]) -> None:
    code, out, err = parley(*words)
    assert (code, out, bool(err)) == (2, "", True)


def test_a_bot_is_imported_published_and_exported_as_it_was(parley: Parley, tmp_path: Path) -> None:
    file = tmp_path / "luna.yaml"
    file.write_text(BOT, encoding="utf-8")
    assert parley("channel", "add", "whatsapp_cloud", "--name", "Shop", "phone_number_id=1", *SECRETS)[0] == 0
    assert parley("bot", "import", str(file))[0] == 0
    done = json.loads(parley("bot", "publish", "luna", "--channel", "Shop", "--note", "first", "--json")[1])
    assert (done["version"], done["live"], done["missing_secrets"]) == (1, ["Shop"], [])
    file.write_text(BOT.replace("Hello.", "Good day."), encoding="utf-8")
    assert parley("bot", "import", str(file))[0] == 0
    assert parley("bot", "export", "Luna")[1] == file.read_text(encoding="utf-8")
    assert parley("bot", "export", "Luna", "--version", "1")[1] == BOT
    said = parley("bot", "publish", "luna")[1]
    assert "version 2 is ready, but on Shop an earlier one answers" in said
    assert json.loads(parley("bot", "list", "--json")[1])[0]["live"] == {"Shop": 1}


def test_a_bot_is_published_at_a_time(parley: Parley, tmp_path: Path) -> None:
    file = tmp_path / "luna.yaml"
    file.write_text(BOT, encoding="utf-8")
    assert parley("channel", "add", "whatsapp_cloud", "--name", "Shop", "phone_number_id=1", *SECRETS)[0] == 0
    assert parley("bot", "import", str(file))[0] == 0
    code, _out, err = parley("bot", "publish", "Luna", "--at", "2020-01-01 08:00")
    assert code == 2 and "This time is over" in err
    soon = datetime.now(UTC) + timedelta(hours=2)
    done = json.loads(parley("bot", "publish", "Luna", "--at", f"{soon:%Y-%m-%d %H:%M}", "--json")[1])
    assert (done["version"], done["live"], done["at"] // 60_000) == (1, [], int(soon.timestamp()) // 60)
    assert "goes live at" in parley("bot", "publish", "Luna", "--channel", "Shop", "--at", f"{soon:%Y-%m-%d %H:%M}")[1]
    assert json.loads(parley("bot", "list", "--json")[1])[0]["live"] == {}


def test_a_wrong_document_is_named_by_line_and_changes_nothing(parley: Parley, tmp_path: Path) -> None:
    file = tmp_path / "luna.yaml"
    file.write_text(BOT.replace("says:", "sais:"), encoding="utf-8")
    code, _out, err = parley("bot", "import", str(file))
    assert code == 1 and "luna.yaml:4:" in err
    code, out, _err = parley("bot", "lint", str(file))
    assert code == 1 and "luna.yaml:4:" in out
    found = json.loads(parley("bot", "lint", str(file), "--json")[1])
    assert found[0]["line"] == 4 and found[0]["severity"] == "error"
    assert json.loads(parley("bot", "list", "--json")[1]) == []


def test_linting_a_good_document_needs_no_installation(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "luna.yaml").write_text(BOT, encoding="utf-8")
    assert parley("bot", "lint", "luna.yaml")[0] == 0
    assert not (tmp_path / "data").exists()


def test_linting_for_a_channel_tells_what_it_shows_there(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "luna.yaml").write_text(BOT.replace("[Menu, Order]", "[a, b, c, d]"), encoding="utf-8")
    values = ("phone_number_id=1", "access_token=t", "app_secret=s", "verify_token=v")
    assert parley("channel", "add", "whatsapp_cloud", "--name", "Shop", *values)[0] == 0
    note = "This network shows at most 3 buttons; sent as a list"
    assert f"On WhatsApp: {note}" in parley("bot", "lint", "luna.yaml")[1]
    code, out, _err = parley("bot", "lint", "luna.yaml", "--channel", "shop")
    assert code == 0 and f"On Shop (WhatsApp Cloud API): {note}" in out
    found = json.loads(parley("bot", "lint", "luna.yaml", "--channel", "Shop", "--json")[1])
    assert f"On Shop (WhatsApp Cloud API): {note}" in [problem["message"] for problem in found]
    code, _out, err = parley("bot", "lint", "luna.yaml", "--channel", "Nowhere")
    assert code == 1 and "There is no channel “Nowhere”." in err


def test_linting_for_a_channel_knows_its_templates(parley: Parley, tmp_path: Path) -> None:
    values = ("phone_number_id=1", "access_token=t", "app_secret=s", "verify_token=v")
    assert parley("channel", "add", "whatsapp_cloud", "--name", "Shop", *values)[0] == 0
    with closing(connect(tmp_path / "data" / "parley.db", write=True)) as db:  # as if they had been fetched
        db.execute("update channel set templates_at = 1 where name = 'Shop'")
        body = json.dumps([{"type": "BODY", "text": "Order {{1}} is ready."}])
        db.execute(
            "insert into template"
            " (id, channel_id, name, language, category, status, components, created_at, changed_at)"
            " select 1, id, 'ready', 'en', 'UTILITY', 'APPROVED', ?, 1, 1 from channel where name = 'Shop'",
            (body,),
        )
    steps = "[{template: ready, parameters: [a]}, {template: ready}, {template: raedy}]"
    rule = f"{{name: r, when: {{says: x}}, do: {steps}}}"
    text = f"bot: T\nlanguage: en\nrules: [{rule}]\nfallback: {{do: [{{say: a}}]}}\n"
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    found = json.loads(parley("bot", "lint", "t.yaml", "--channel", "shop", "--json")[1])
    told = [problem["message"] for problem in found]
    assert "On Shop: there is no template “raedy”." in told
    wrong = "On Shop: the template “ready” cannot be sent so. Its text has 1 values, and 0 are given."
    assert told.count(wrong) == 1


def test_a_file_can_be_talked_to_without_an_installation(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "luna.yaml").write_text(BOT, encoding="utf-8")
    code, out, _err = parley("simulate", "luna.yaml", typed="hi\n2\n")
    assert code == 0
    assert "Hello." in out and "[2] Order" in out and "rule greeting" in out
    turns = [json.loads(line) for line in parley("simulate", "luna.yaml", "--json", typed="hi\nwhat\n")[1].splitlines()]
    assert [turn["rule"] for turn in turns] == ["greeting", ""]
    assert not (tmp_path / "data").exists()


def test_what_a_bot_sends_besides_texts_and_notes_is_told_in_words(parley: Parley, tmp_path: Path) -> None:
    steps = (
        "{reaction: 👍}, {location: {latitude: 1, longitude: 2, name: Luna}}, {contact: {name: Ana, phone: 5}}, "
        "{template: t, language: en}, {note: shy}, {assign: Kitchen}, {opt_out: true}, {opt_in: true}, "
        "{handoff: {reason: cake, team: Kitchen}}"
    )
    bot = f"bot: Luna\nrules: [{{name: r, when: {{says: hi}}, do: [{steps}]}}]\n"
    (tmp_path / "luna.yaml").write_text(bot, encoding="utf-8")
    code, out, _err = parley("simulate", "luna.yaml", typed="hi\n")
    assert code == 0
    for line in (
        "👍 on your message", "  Luna\n  https://www.google.com/maps/search/?api=1&query=1,2", "  Ana\n  5",
        "[template t]", "(note for the team: shy)", "(assigned to Kitchen)", "(opted out)", "(opted in)",
        "(handed to Kitchen: cake)",
    ):  # fmt: skip
        assert line in out, line


def test_a_bot_of_the_installation_can_be_talked_to_by_name(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "luna.yaml").write_text(BOT, encoding="utf-8")
    parley("bot", "import", "luna.yaml")
    assert "Hello." in parley("simulate", "Luna", typed="hi\n")[1]
    assert parley("simulate", "Nobody", typed="hi\n")[0] == 1


def test_a_chat_in_the_terminal_tells_what_is_noted(parley: Parley, tmp_path: Path) -> None:
    steps = "[{tag: new}, {untag: old}, {field: {size: 3}}, {say: Noted.}, {close: }]"
    document = f"bot: Notes\nrules:\n  - {{name: a, when: {{says: hi}}, do: {steps}}}\n"
    (tmp_path / "notes.yaml").write_text(document, encoding="utf-8")
    code, out, _err = parley("simulate", "notes.yaml", typed="hi\n")
    assert code == 0
    for line in ("(tags: +new)", "(tags: -old)", "(field size: 3)", "Noted.", "(conversation closed)"):
        assert line in out


def test_refusals_are_objects_for_programs(parley: Parley) -> None:
    code, out, err = parley("channel", "show", "Shop", "--json")
    assert (code, out) == (1, "")
    assert json.loads(err) == {"error": {"code": "not_found", "message": "There is no channel “Shop”."}}


def test_P31_a_folder_in_use_starts_no_second_server_and_opens_no_database(
    parley: Parley, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "PATIENCE", 0.0)
    lock = Instance.take(tmp_path / "data")
    try:
        for words in (("serve", "--port", "0"), ("user", "list")):
            code, _out, err = parley(*words)
            assert code == 78 and "already runs" in err
    finally:
        lock.release()
    assert not (tmp_path / "data" / "parley.db").exists()


def test_P37_a_server_that_does_not_know_the_key_says_so_and_ends(parley: Parley, tmp_path: Path) -> None:
    assert parley("user", "list")[0] == 0
    keys = tmp_path / "data" / "keys.json"
    keys.unlink()
    key = b"another key of thirty-two bytes."
    kid = keyfile.fingerprint(key)
    keyfile.write_keys(keys, keyfile.KeyFile(kid, {kid: keyfile.encode(key)}))
    environment = {"PARLEY_DATA": str(tmp_path / "data"), "PYTHONPATH": str(Path(__file__).parent.parent)}
    begun = [sys.executable, "-m", "app", "serve", "--port", "0"]
    done = subprocess.run(begun, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 78 and "Put the right key file in place" in done.stderr


def test_version_is_told_for_people_and_programs(parley: Parley) -> None:
    assert parley("version")[1].startswith("parley 0.")
    assert set(json.loads(parley("version", "--json")[1])) == {"version", "python", "sqlite", "system"}


def test_doctor_fails_where_others_can_look_into_the_folder(parley: Parley, tmp_path: Path) -> None:
    assert parley("doctor")[0] == 0
    (tmp_path / "data").chmod(0o755)
    code, out, _err = parley("doctor")
    assert code == 1 and "chmod 700" in out


WITHOUT_LIBYAML = "import sys, yaml; del yaml.CSafeLoader; from app.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("bot", "lint", "bot.yaml")])
def test_a_pyyaml_without_libyaml_is_named_at_the_start(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "bot.yaml").write_text(BOT, encoding="utf-8")
    begun = [sys.executable, "-c", WITHOUT_LIBYAML, *words]
    environment = {"PARLEY_DATA": str(tmp_path / "data"), "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(begun, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 78 and "built without libyaml" in done.stderr and "Traceback" not in done.stderr


SERVED = """
import gc, os, sys
from app import server
from app.cli import main

async def serve(app, listening, *, on_stop, close):
    print("loaded" if "app.dashboard" in sys.modules else "missing", gc.isenabled(), gc.get_freeze_count() > 10_000)
    print("turns", sys.platform != "linux" or os.sched_getscheduler(0) == os.SCHED_BATCH)
    listening.close()
    on_stop()
    await close()

server.serve = serve
sys.exit(main(["serve", "--port", "0"]))
"""


def test_garbage_is_looked_for_once_all_is_loaded_and_threads_take_longer_turns(tmp_path: Path) -> None:
    environment = {"PARLEY_DATA": str(tmp_path / "data"), "PYTHONPATH": str(Path(__file__).parent.parent)}
    begun = [sys.executable, "-c", SERVED]
    done = subprocess.run(begun, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=True)
    assert "loaded True True" in done.stdout and "turns True" in done.stdout


# ---- the door of a running installation -----------------------------------------------------------------------------


@pytest.fixture
async def door(rt: Runtime) -> AsyncIterator[control.Control]:
    opened = control.Control(rt, commands)
    await opened.open()
    yield opened
    await opened.close()


async def ask(rt: Runtime, command: str, **values: Any) -> Any:
    return await reach.call(rt.settings, command, values)


@pytest.mark.anyio
async def test_a_command_to_a_running_installation_takes_effect_at_once(rt: Runtime, door: control.Control) -> None:
    values = dict(word.split("=") for word in ("phone_number_id=1", *SECRETS))
    made = await ask(rt, "channel.add", kind="whatsapp_cloud", name="Shop", values=values, rate=None)
    assert rt.channels.by_key[made["key"]].row.name == "Shop"
    await ask(rt, "channel.set", name="Shop", values={}, rate=5.0, new_name=None)
    assert rt.channels.by_key[made["key"]].row.rate == 5.0


@pytest.mark.anyio
async def test_a_running_installation_takes_and_forgets_secrets(rt: Runtime, door: control.Control) -> None:
    assert await ask(rt, "secret.set", values={"shop_key": "hush-hush-hush"}) == [{"name": "shop_key", "new": True}]
    assert await vault.opened(rt.db.reader, rt.keys, "shop_key") == "hush-hush-hush"
    with pytest.raises(control.Refused):
        await ask(rt, "secret.set", values={"bank_key": "hush-hush-hush", "shop_key": "short"})
    assert [secret["name"] for secret in await ask(rt, "secret.list")] == ["shop_key"]
    await ask(rt, "secret.remove", name="shop_key")
    assert await ask(rt, "secret.list") == []


@pytest.mark.anyio
async def test_the_door_refuses_as_the_command_itself_would(rt: Runtime, door: control.Control) -> None:
    with pytest.raises(control.Refused) as refusal:
        await ask(rt, "channel.show", name="Nowhere")
    assert (refusal.value.status, refusal.value.code) == (NotFound.status, "not_found")
    with pytest.raises(control.Refused) as refusal:
        await ask(rt, "no.such.command")
    assert refusal.value.status == Invalid.status


@pytest.mark.anyio
async def test_only_the_owner_can_open_the_door_and_it_goes_with_the_server(rt: Runtime) -> None:
    opened = control.Control(rt, commands)
    await opened.open()
    path = rt.settings.data / control.NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await opened.close()
    assert not path.exists()
    with pytest.raises(control.NotListening):
        await control.ask(rt.settings.data, "user.list", {})


@pytest.mark.anyio
@pytest.mark.parametrize("said", [b"", b'{"result": '])
async def test_a_command_whose_server_goes_away_says_so_and_is_not_done_again(
    rt: Runtime, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        writer.close()

    async def again(*_: object) -> None:
        raise AssertionError("carried out a second time")

    monkeypatch.setattr(reach, "run_here", again)
    server = await asyncio.start_unix_server(hang_up, rt.settings.data / control.NAME)
    async with server:
        with pytest.raises(control.Lost, match="may have been carried out or not") as lost:
            await ask(rt, "user.list")
    assert exit_code(lost.value) == 1


@pytest.mark.anyio
async def test_where_no_socket_fits_a_token_file_opens_the_door(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LONGEST_NAME", 10)
    opened = control.Control(rt, commands)
    await opened.open()
    try:
        path = rt.settings.data / control.NAME
        assert path.is_file() and stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await ask(rt, "user.list") == []
        told = json.loads(path.read_bytes())
        path.write_text(json.dumps(told | {"token": "guessed"}))
        with pytest.raises(control.Refused, match="token"):
            await control.ask(rt.settings.data, "user.list", {})
    finally:
        await opened.close()


TESTED = (
    BOT
    + "tests:\n  - {name: greets, chat: [{user: hi}, {bot: He*}]}\n"
    + '  - {name: "b<&\\x01", chat: [{user: hi}, {bot: Yo}]}\n'
)


def test_the_tests_of_a_document_run_without_an_installation(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "luna.yaml").write_text(TESTED, encoding="utf-8")
    code, out, _err = parley("bot", "test", "luna.yaml", "--junit", "report.xml")
    assert code == 1 and "- bot: Yo" in out and "+ bot: Hello." in out and "1 of 2 tests fails." in out
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert suite.attrib["tests"] == "2" and suite.attrib["failures"] == "1"
    assert [case.attrib["name"] for case in suite] == ["greets", "b<&"]
    found = json.loads(parley("bot", "test", "luna.yaml", "--json")[1])
    assert [(test["passed"], test["line"]) for test in found] == [(True, 7), (False, 8)]
    assert found[1]["why"] == "expected “Yo”, found “Hello.”."
    assert not (tmp_path / "data").exists()


def test_the_draft_of_a_bot_is_tested_by_name_and_published_anyway(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "luna.yaml").write_text(TESTED, encoding="utf-8")
    assert parley("bot", "import", "luna.yaml")[0] == 0
    assert parley("bot", "test", "Luna")[0] == 1
    code, _out, err = parley("bot", "publish", "Luna")
    assert code == 1 and "tests fail: 1" in err
    assert parley("bot", "publish", "Luna", "--anyway")[0] == 0
    (tmp_path / "luna.yaml").write_text(TESTED.replace("Yo", "'*'"), encoding="utf-8")
    parley("bot", "import", "luna.yaml")
    assert parley("bot", "test", "Luna")[0] == 0


def test_a_replay_of_an_installation_at_rest_is_told_for_people_and_programs(parley: Parley, tmp_path: Path) -> None:
    (tmp_path / "luna.yaml").write_text(TESTED)
    parley("bot", "import", "luna.yaml")
    code, out, _err = parley("bot", "replay", "Luna", "--draft", "luna.yaml", "--last", "5")
    assert code == 0 and "answered in none of the conversations" in out
    assert json.loads(parley("bot", "replay", "Luna", "--json")[1])["conversations"]["same"] == 0
    (tmp_path / "broken.yaml").write_text(TESTED + "colour: red\n")
    code, _out, err = parley("bot", "replay", "Luna", "--draft", "broken.yaml")
    assert code == 1 and "The draft has to be in order first. Line" in err
    assert parley("bot", "replay", "Luna", "--last", "0")[0] == 2
    assert parley("bot", "replay", "Nobody")[0] == 1
