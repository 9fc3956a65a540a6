"""WhatsApp Cloud API: Meta's own road. It calls us (webhook), we call Graph.

An update comes in through `signature.py` → `notification.py` → `fields.py` → `message.py`, `status.py` → `contents.py`;
a message goes out through `limits.py` → `upload.py` → `outbound.py` → `session.py` → `posting.py`, `errors.py`. About
the account: `news.py` (told), `facts.py`, `templates.py` (asked), `template_rules.py` (their limits).
"""

from collections.abc import Iterable, Mapping

from app.connectors.account import Draft
from app.connectors.base import Arrival, Channel, PairLimit, Problem, Session, Setting
from app.connectors.whatsapp_cloud import limits, template_rules
from app.connectors.whatsapp_cloud.notification import parse_notification
from app.connectors.whatsapp_cloud.session import CloudSession
from app.connectors.whatsapp_cloud.signature import signed_by
from app.content import Content
from app.said import Sentence, mark


class WhatsAppCloud:
    """One number of a WhatsApp Business Account; the account is the phone number id."""

    kind = "whatsapp_cloud"
    label = "WhatsApp Cloud API"
    capabilities = limits.CAPABILITIES
    default_rate = 80.0
    pair_limit: PairLimit | None = PairLimit(burst=45, every=6.0)  # contract §8
    place = "whatsapp"
    by_hand = True
    settings: tuple[Setting, ...] = (
        Setting(
            "phone_number_id",
            mark("Phone number ID"),
            mark(
                "In the Meta app under WhatsApp, API Setup: the long number below “From”, not the phone number itself."
            ),
            example="106540352242922",
        ),
        Setting(
            "access_token",
            mark("Access token"),
            mark(
                "A permanent token of a system user with whatsapp_business_messaging and whatsapp_business_management."
            ),
            secret=True,
            example="EAAG…",
        ),
        Setting(
            "app_secret",
            mark("App secret"),
            mark("In the Meta app under App settings, Basic. It proves that a notification is from Meta."),
            secret=True,
        ),
        Setting(
            "verify_token",
            mark("Verify token"),
            mark("A word of your own choice, entered here and at Meta under WhatsApp, Configuration, Webhook."),
            secret=True,
        ),
        Setting(
            "previous_app_secret",
            mark("Previous app secret"),
            mark(
                "Only while the app secret is being changed: notifications signed with the old one are still accepted."
            ),
            secret=True,
            required=False,
        ),
        Setting(
            "waba_id",
            mark("WhatsApp Business Account ID"),
            mark(
                "Shown beside the phone number ID. Needed for templates, and to test whether Meta sends notifications."
            ),
            required=False,
            example="102290129340398",
        ),
    )

    def open_session(self, channel: Channel) -> Session:
        return CloudSession(channel)

    def account_of(self, config: Mapping[str, str]) -> str:
        return config.get("phone_number_id", "").strip()

    def check(self, content: Content) -> Problem | None:
        return limits.check(content)

    def check_template(self, draft: Draft) -> dict[str, Sentence]:
        return template_rules.check(draft)

    def verify(self, channel: Channel, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        secrets = (channel.secrets.get("app_secret", ""), channel.secrets.get("previous_app_secret", ""))
        return signed_by(secrets, body, headers)

    def parse(self, body: bytes) -> list[Arrival]:
        return parse_notification(body)
