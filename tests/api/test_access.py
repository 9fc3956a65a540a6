"""Who gets in over the API: access tokens (S10), refresh tokens (S11), API keys (S12), scopes and limits (S14)."""

import base64
import hmac
import json

import jwt
import pytest

from app import second_factor, users
from app.db import Query, Statement
from app.security import access, totp
from tests.api.conftest import EMAIL, PASSWORD, Program
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
CHANNELS = "/api/v1/channels"


async def test_a_log_in_gives_a_pair_that_works(api: Program) -> None:
    pair = await api.log_in()
    assert pair["expires_in"] == 900 and pair["scope"] == "read send manage admin"
    answer = await api.get(CHANNELS, headers=api.bearing(pair["access_token"]))
    assert [each["name"] for each in answer.json()["items"]] == ["Shop"]


async def test_a_wrong_password_is_refused_like_an_unknown_address(api: Program) -> None:
    for email in (EMAIL, "nobody@luna.example"):
        answer = await api.post("/api/v1/auth/token", json={"email": email, "password": "wrong wrong wrong"})
        assert answer.status_code == 401 and answer.json()["error"]["message"] == "E-mail or password is not right."
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_without_a_credential_nothing_is_told(api: Program) -> None:
    answer = await api.get(CHANNELS)
    assert answer.status_code == 401 and answer.json()["error"]["code"] == "unauthenticated"


async def test_an_access_token_ends_after_fifteen_minutes(api: Program, clock: ManualClock) -> None:
    pair = await api.log_in()
    clock.advance(14 * 60)
    assert (await api.get(CHANNELS, headers=api.bearing(pair["access_token"]))).status_code == 200
    clock.advance(61)
    assert (await api.get(CHANNELS, headers=api.bearing(pair["access_token"]))).status_code == 401


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


# PyJWT warns that the key is short for HS512.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_forged_tokens_are_refused(api: Program) -> None:
    good = (await api.log_in())["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    key = api.rt.keys.derive("jwt-v1")[-1]
    head = {"typ": "at+jwt", "kid": "1"}
    signed = {
        "another key": jwt.encode(claims, b"x" * 32, "HS256", headers=head),
        "another algorithm": jwt.encode(claims, key, "HS512", headers=head),
        "a plain JWT": jwt.encode(claims, key, "HS256", headers={"typ": "JWT", "kid": "1"}),
        "another key's name": jwt.encode(claims, key, "HS256", headers=head | {"kid": "../../etc/passwd"}),
        "crit": jwt.encode(claims, key, "HS256", headers=head | {"crit": ["b64"]}),
        "another audience": jwt.encode(claims | {"aud": "other"}, key, "HS256", headers=head),
        "another issuer": jwt.encode(claims | {"iss": "other"}, key, "HS256", headers=head),
        "no version": jwt.encode({k: v for k, v in claims.items() if k != "tv"}, key, "HS256", headers=head),
        "no jti": jwt.encode({k: v for k, v in claims.items() if k != "jti"}, key, "HS256", headers=head),
        "over": jwt.encode(claims | {"exp": claims["iat"] - 1}, key, "HS256", headers=head),
        "from the future": jwt.encode(claims | {"iat": claims["exp"] + 9_999}, key, "HS256", headers=head),
        "a text for a number": jwt.encode(claims | {"tv": "x"}, key, "HS256", headers=head),
        "none": f"{part({'alg': 'none', **head})}.{part(claims)}.",
        "too long": good + "A" * 5000,
        "half": good[: len(good) // 2],
        "nothing": "a.b.c",
    }
    for name, token in signed.items():
        answer = await api.get(CHANNELS, headers=api.bearing(token))
        assert answer.status_code == 401, name
    assert (await api.get(CHANNELS, headers=api.bearing(good))).status_code == 200


def raw(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode().rstrip("=")


# PyJWT warns of keys that are short, and of algorithms that sign nothing.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_S10_no_other_way_to_write_a_token_is_read(api: Program) -> None:
    """Classes of the public collections for JWS: each is signed with the right key where a key signs it."""
    good = (await api.log_in())["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    key = api.rt.keys.derive("jwt-v1")[-1]
    head: dict[str, object] = {"alg": "HS256", "typ": "at+jwt", "kid": "1"}
    first, second, third = good.split(".")

    def signed(header: object, body: object = claims, with_key: bytes = key) -> str:
        begun = ".".join(part(each) if isinstance(each, dict | list) else raw(str(each)) for each in (header, body))
        return f"{begun}.{raw(hmac.digest(with_key, begun.encode(), 'sha256'))}"

    assert (await api.get(CHANNELS, headers=api.bearing(signed(head)))).status_code == 200
    jwk = {"kty": "oct", "k": raw(b"x" * 32), "kid": "1"}
    twice = json.dumps(head)[:-1]
    forged = [
        # algorithms: none in every case, other families, other types
        *(f"{part(head | {'alg': alg})}.{second}.{end}" for alg in ("none", "None", "NONE", "nOnE") for end in ("",
          third)),
        *(signed(head | {"alg": alg}) for alg in ("RS256", "ES256", "PS256", "EdDSA", "HS384", "hs256", "HS256 ", "",
          "A128KW")),
        *(signed(head | {"alg": alg}) for alg in (None, 256, True, ["HS256"], {"HS256": 1})),
        signed({name: value for name, value in head.items() if name != "alg"}),
        # keys that the header brings or names
        *(signed(head | {"kid": kid}) for kid in ("", "2", "../../../dev/null", "' or 1=1 --", "1\0", 1, None, ["1"])),
        signed({name: value for name, value in head.items() if name != "kid"}),
        *(signed(head | extra, with_key=b"x" * 32) for extra in (
            {"jwk": jwk}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/cert"},
            {"x5c": [raw(b"x")]},
        )),
        *(signed(head, with_key=weak) for weak in (b"", b"secret", b"\0" * 32, key[:31], key + b"x",
          key.hex().encode())),
        # what must be understood and is not
        *(signed(head | {"crit": crit}) for crit in ([], ["exp"], ["b64"], "b64", None)),
        *(signed(head | {"b64": b64}) for b64 in (False, 0, "false", None)),
        # types
        *(signed(head | {"typ": typ}) for typ in ("JWT", "at+JWT ", "application/at+jwt", "", None, 1)),
        # members twice, no objects, no JSON
        *(signed(text) for text in (twice + ', "kid": "2"}', twice + ', "alg": "none"}', "[]", "1", "null", "", "{",
          "\ufeff{}")),
        *(signed(head, body) for body in ([], ["sub"], "null", "1", "", "{", '"text"', "NaN")),
        *(signed(head, claims | {name: value}) for name in ("iss", "aud", "sub", "iat", "exp", "tv")
          for value in (None, [], {}, "", "x" * 40)),
        *(signed(head, claims | {"scope": scope}) for scope in (None, [], {}, -1)),
        # cut, joined, written otherwise
        *(good[:size] for size in (0, 1, len(first), len(first) + 1, len(first) + 1 + len(second), len(good) - 1,
          len(good) - 10)),
        f"{first}.{second}", f"{first}.{second}.", f".{second}.{third}", f"{first}..{third}", f"{good}.", f".{good}",
        f"{good}.{third}", f"{first}.{second}.{third}.x.y", f"{first}.{second}.{third[::-1]}",
        f"{first}.{second}.{raw('')}",
        f"{first}.{part(claims | {'tv': 99})}.{third}", f"{part(head | {'x': 1})}.{second}.{third}",
        f"{first}={'.'}{second}.{third}", f"{first}.{second}.{third}AAAA", f"{first}.{second}.{third}%00",
        good + "A" * 5000,
        "A" * 100_000, "." * 5_000, part({"alg": "dir", "enc": "A256GCM"}) + "....", json.dumps({"payload": second}),
    ]  # fmt: skip
    found: list[tuple[str, int]] = []
    for token in forged:
        api.app.state.limits.buckets.clear()
        status = (await api.get(CHANNELS, headers=api.bearing(token))).status_code
        if status not in (401, 400):
            found.append((token, status))
    assert not found and len(forged) == 134


async def test_a_refresh_token_works_once_and_its_second_use_ends_the_log_in(api: Program) -> None:
    first = await api.log_in()
    answer = await api.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    second = answer.json()
    assert answer.status_code == 200 and second["refresh_token"] != first["refresh_token"]
    stolen = await api.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert stolen.status_code == 401
    after = await api.post("/api/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert after.status_code == 401
    told = (await api.get("/api/v1/audit?action=login.reused", headers=await api.key("admin"))).json()["items"]
    assert [(line["subject"], line["ip"]) for line in told] == [(EMAIL, "127.0.0.1")]


async def test_logging_out_ends_both_tokens(api: Program) -> None:
    pair = await api.log_in()
    head = api.bearing(pair["access_token"])
    answer = await api.post("/api/v1/auth/revoke", json={"refresh_token": pair["refresh_token"]}, headers=head)
    assert answer.status_code == 204
    assert (await api.get(CHANNELS, headers=head)).status_code == 401
    again = await api.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert again.status_code == 401


async def test_S11_a_new_password_ends_the_log_ins_of_programs(api: Program) -> None:
    pair = await api.log_in()
    user = await users.find(api.rt, EMAIL)
    await users.change_password(api.rt, user, current=PASSWORD, new="copper lantern drifts north", keep="")
    answer = await api.get("/api/v1/bots", headers=api.bearing(pair["access_token"]))
    assert answer.status_code == 401
    answer = await api.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert answer.status_code == 401


async def test_S5_a_code_is_asked_for_besides_the_password(api: Program, clock: ManualClock) -> None:
    before = await api.log_in()
    user = await users.find(api.rt, EMAIL)
    sealed = second_factor.begin(api.rt, user)
    seed = second_factor.opened(api.rt.keys, user.id, sealed) or ""

    def now() -> str:
        return totp.code_at(seed, clock.now() // totp.PERIOD)

    [recovery, *_others] = await second_factor.confirm(api.rt, user, sealed, now(), keep="")
    for path, body in (("bots", None), ("auth/refresh", {"refresh_token": before["refresh_token"]})):
        method = "POST" if body else "GET"
        answer = await api.request(method, f"/api/v1/{path}", json=body, headers=api.bearing(before["access_token"]))
        assert answer.status_code == 401, "what began with the password alone is over"

    async def tried(**more: str) -> tuple[int, str]:
        answer = await api.post("/api/v1/auth/token", json={"email": EMAIL, "password": PASSWORD, **more})
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    assert await tried() == (401, "totp_required")
    assert await tried(totp=now()) == (401, "totp_wrong"), "used to switch it on"
    clock.advance(60)
    assert await tried(totp=now()) == (200, "")
    assert await tried(totp=now()) == (401, "totp_wrong")
    assert await tried(totp=recovery) == (200, "")
    clock.advance(60)
    assert await tried(totp=recovery) == (401, "totp_wrong")
    for _ in range(4):
        clock.advance(13)
        assert await tried(totp="000000") == (401, "totp_wrong")
    clock.advance(13)
    assert await tried(totp=now()) == (429, "too_many")


async def test_a_disabled_user_is_out_at_the_next_request(api: Program) -> None:
    await users.add(api.rt, email="vera@luna.example", name="Vera", role="admin", password="purple kettle walks nine")
    found = await api.post(
        "/api/v1/auth/token", json={"email": "vera@luna.example", "password": "purple kettle walks nine"}
    )
    head = api.bearing(found.json()["access_token"])
    assert (await api.get(CHANNELS, headers=head)).status_code == 200
    await users.disable(api.rt, (await users.find(api.rt, "vera@luna.example")).id)
    assert (await api.get(CHANNELS, headers=head)).status_code == 401
    refreshed = await api.post("/api/v1/auth/refresh", json={"refresh_token": found.json()["refresh_token"]})
    assert refreshed.status_code == 401


async def test_scopes_bound_what_a_token_may_do(api: Program) -> None:
    pair = await api.log_in(scopes=["read"])
    assert pair["scope"] == "read"
    head = api.bearing(pair["access_token"])
    assert (await api.get(CHANNELS, headers=head)).status_code == 200
    answer = await api.get("/api/v1/tokens", headers=head)
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "forbidden"


async def test_a_role_bounds_its_scopes(api: Program) -> None:
    await users.add(api.rt, email="vera@luna.example", name="Vera", role="viewer", password="purple kettle walks nine")
    found = await api.post(
        "/api/v1/auth/token",
        json={"email": "vera@luna.example", "password": "purple kettle walks nine", "scopes": ["read", "admin"]},
    )
    assert found.json()["scope"] == "read"


async def test_a_key_is_told_once_and_kept_as_a_hash(api: Program) -> None:
    head = await api.key("admin")
    made = (await api.post("/api/v1/tokens", json={"name": "CRM", "scopes": ["admin"]}, headers=head)).json()
    assert access.is_key(made["secret"])
    listed = (await api.get("/api/v1/tokens", headers=head)).json()["items"]
    assert listed[0]["name"] == "CRM" and listed[0]["hint"] == made["secret"][-4:] and "secret" not in listed[0]
    rows = await api.rt.db.reader.all(Query("select name, hash, hint, scopes from api_key", lambda *row: row))
    assert made["secret"] not in repr(rows)
    assert (await api.get("/api/v1/tokens", headers=api.bearing(made["secret"]))).status_code == 200
    assert (await api.delete(f"/api/v1/tokens/{made['id']}", headers=head)).status_code == 204
    assert (await api.get("/api/v1/tokens", headers=api.bearing(made["secret"]))).status_code == 401
    assert (await api.delete(f"/api/v1/tokens/{made['id']}", headers=head)).status_code == 404


async def test_a_key_cannot_make_a_stronger_one(api: Program) -> None:
    answer = await api.post("/api/v1/tokens", json={"name": "x", "scopes": ["manage"]}, headers=await api.key("admin"))
    assert answer.status_code == 422 and "scopes" in answer.json()["error"]["fields"]


async def test_a_key_ends_when_it_was_said_to(api: Program, clock: ManualClock) -> None:
    head = await api.key("read", days=1)
    assert (await api.get(CHANNELS, headers=head)).status_code == 200
    clock.advance(86_401)
    assert (await api.get(CHANNELS, headers=head)).status_code == 401


async def test_who_was_recognised_is_believed_for_two_seconds_at_most(api: Program, clock: ManualClock) -> None:
    """That is for other processes on the same database; what is changed here counts from the next request on."""
    head = await api.key("read")
    assert (await api.get(CHANNELS, headers=head)).status_code == 200
    await api.rt.db.write(lambda tx: tx.run(Statement("update api_key set scopes = 'send'")))
    clock.advance(1.9)
    assert (await api.get(CHANNELS, headers=head)).status_code == 200
    clock.advance(0.1)
    assert (await api.get(CHANNELS, headers=head)).status_code == 403


@pytest.mark.parametrize("change", ["prefix", "check sum", "case"])
async def test_what_only_looks_like_a_key_is_refused(api: Program, change: str) -> None:
    key = access.new_key()
    wrong = {"prefix": "xk_" + key[3:], "check sum": key[:-1] + ("0" if key[-1] != "0" else "1"), "case": key.upper()}
    assert access.is_key(key) and not access.is_key(wrong[change])
    assert (await api.get(CHANNELS, headers=api.bearing(wrong[change]))).status_code == 401


async def test_S14_wrong_credentials_are_counted_by_address(api: Program) -> None:
    good = (await api.log_in())["access_token"]
    answers = [await api.get(CHANNELS, headers=api.bearing(f"pk_{number:043}")) for number in range(60)]
    assert [each.status_code for each in answers] == [401] * 59 + [429], "logging in was the first of sixty"
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await api.get(CHANNELS, headers=api.bearing(good))).status_code == 200


async def test_a_cookie_is_no_way_in(api: Program) -> None:
    await api.post(
        "/login",
        data={"email": EMAIL, "password": "purple kettle walks nine"},
        headers={"Origin": "http://127.0.0.1:8080"},
    )
    assert api.cookies
    assert (await api.get(CHANNELS)).status_code == 401


async def test_a_key_has_its_own_pace(api: Program) -> None:
    slow, free = await api.key("read", rate=1), await api.key("read", rate=0)
    codes = [(await api.get(CHANNELS, headers=slow)).status_code for _ in range(202)]
    assert codes.count(429) >= 1 and codes[:200] == [200] * 200
    answer = await api.get(CHANNELS, headers=slow)
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
    assert answer.headers["ratelimit"] == '"api";r=0;t=1'
    # Before anything else is looked at, the scope and the body among it.
    assert (await api.post("/api/v1/webhooks", content=b"{", headers=slow)).status_code == 429
    assert {(await api.get(CHANNELS, headers=free)).status_code for _ in range(250)} == {200}


async def test_the_limit_is_told_with_each_answer(api: Program) -> None:
    answer = await api.get(CHANNELS, headers=await api.key("read"))
    assert answer.headers["ratelimit-policy"] == '"api";q=50;w=1'
    assert answer.headers["ratelimit"] == '"api";r=199;t=1'
