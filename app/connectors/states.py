"""The words for codes: states of a session, problems of a send, lines of "test it". One sentence each, for people.

A code with no entry here is a network's own; it is shown with the network's words beside it.
"""

from typing import Final

import msgspec

SENTENCES: Final[dict[str, str]] = {
    "starting": "Starting.",
    "connected": "Connected.",
    "reconnecting": "The connection was lost. Parley tries again by itself.",
    "pairing": "Waiting for the code to be scanned with the phone.",
    "logged_out": "The phone logged this device out. Link it again.",
    "broken": "The connection cannot be set up. See the detail.",
    "account.refused": "The network refuses the account or its token. Sending waits until the settings are changed.",
}


class Advice(msgspec.Struct, frozen=True):
    """What happened, and what to do about it (empty: nothing can be done, or nothing has to)."""

    sentence: str
    remedy: str = ""


_RATE = Advice("The network's limit on messages is used up.", "Nothing: Parley slows down and goes on by itself.")
_LATER = Advice("The network has a problem of its own.", "Nothing: Parley tries again by itself.")
_TOKEN = Advice("The network refuses the access token.", "Enter a new token in the channel's settings.")
_PARAMETER = Advice(
    "The network refuses a value in the message.", "See the detail, correct the message, send it again."
)
_TEMPLATE_VALUES = Advice("The template's values do not fit the template.", "Compare number and kind of the values.")

PROBLEMS: Final[dict[str, Advice]] = {
    "send.limit": Advice("The message is over a limit of the network.", "Shorten it or split it."),
    "send.content": Advice("The network has no message of this kind.", "Send it in another form."),
    "send.recipient": Advice("No number or id of the person is known here.", "Wait until the person writes first."),
    "send.closed": Advice("The channel was stopped.", "Start the channel; the message stays in the queue."),
    "send.unreachable": Advice("The network could not be reached; nothing was sent.", "Check the internet connection."),
    "send.no_answer": Advice(
        "The network did not answer, so it is not known whether the message arrived.",
        "Look at the phone, then choose Resend or Discard.",
    ),
    "send.no_id": Advice(
        "The network answered without an id, so it is not known whether the message arrived.",
        "Look at the phone, then choose Resend or Discard.",
    ),
    "send.interrupted": Advice(
        "Parley was stopped during the send, so it is not known whether the message arrived.",
        "Look at the phone, then choose Resend or Discard.",
    ),
    "channel.stopped": Advice(
        "The channel was stopped while this was being sent.", "Look at the phone before resending."
    ),
    "graph.unreachable": Advice("Meta's Graph API could not be reached.", "Check the internet connection."),
    "graph.garbled": Advice("Meta's Graph API answered something unreadable.", "Try again in a few minutes."),
    "failed": Advice("The network reports a failure without a reason."),
    "0": _TOKEN,
    "1": _LATER,
    "2": _LATER,
    "3": Advice(
        "The token lacks a permission.", "Give the system user whatsapp_business_messaging and renew the token."
    ),
    "4": _RATE,
    "10": Advice(
        "The token lacks a permission.", "Give the system user whatsapp_business_messaging and renew the token."
    ),
    "33": Advice("Meta does not know this phone number ID.", "Compare it with API Setup in the Meta app."),
    "100": _PARAMETER,
    "102": _TOKEN,
    "190": _TOKEN,
    "368": Advice("Meta has blocked the account for a violation of its policies.", "See Account quality at Meta."),
    "80007": _RATE,
    "130429": _RATE,
    "130472": Advice("Meta keeps this person out of marketing messages as part of an experiment."),
    "130497": Advice("The business may not write to people in this country."),
    "131000": _LATER,
    "131005": Advice("The token lacks a permission.", "Give the system user the permissions and renew the token."),
    "131008": _PARAMETER,
    "131009": _PARAMETER,
    "131016": _LATER,
    "131021": Advice("Sender and recipient are the same number."),
    "131026": Advice(
        "The message cannot be delivered: the person may not use WhatsApp, have an old version or have blocked you.",
        "Check the number, or reach the person another way.",
    ),
    "131030": Advice(
        "A test number may write to listed people only.", "Add the person under API Setup in the Meta app."
    ),
    "131031": Advice("Meta has locked the account.", "See Account quality at Meta."),
    "131037": Advice("The display name is not approved.", "Request approval in WhatsApp Manager."),
    "131042": Advice("Meta cannot charge the account.", "Put the payment method in order in WhatsApp Manager."),
    "131045": Advice("The number is not registered.", "Register it in WhatsApp Manager."),
    "131047": Advice("More than 24 hours since the person's last message.", "Send a template."),
    "131048": Advice(
        "Meta limits the number because people blocked it or reported its messages.",
        "Write only to people who expect it; see the quality rating in WhatsApp Manager.",
    ),
    "131049": Advice(
        "Meta did not deliver it, to limit marketing to this person.", "Do not repeat it within 24 hours."
    ),
    "131050": Advice("The person stopped marketing messages from the business.", "Send no marketing to this person."),
    "131051": Advice("The network has no message of this kind.", "Send it in another form."),
    "131052": Advice("The file that the person sent could not be fetched by Meta.", "Ask for it again."),
    "131053": Advice(
        "Meta could not take the file.", "Check type and size of the file and that its address is public."
    ),
    "131056": Advice(
        "Too many messages to one person in a short time.", "Nothing: Parley waits and goes on by itself."
    ),
    "131057": Advice("The number is under maintenance for a few minutes.", "Nothing: Parley tries again by itself."),
    "131062": Advice("This kind of message needs the person's phone number.", "Ask for the number first."),
    "132000": _TEMPLATE_VALUES,
    "132001": Advice("There is no approved template of this name in this language.", "See the templates at Meta."),
    "132005": Advice("The template with its values is too long.", "Shorten the values."),
    "132007": Advice("The template breaks a content policy.", "Change the template at Meta."),
    "132012": _TEMPLATE_VALUES,
    "132015": Advice("Meta has paused the template because of low quality.", "Change the template or use another one."),
    "132016": Advice("Meta has disabled the template for good.", "Use another template."),
    "132018": _TEMPLATE_VALUES,
    "132068": Advice("The form is blocked.", "Correct it in WhatsApp Manager."),
    "132069": Advice("The form is throttled.", "Nothing: Parley tries again by itself."),
    "133004": _LATER,
    "133010": Advice("The number is not registered.", "Register it in WhatsApp Manager."),
    "135000": _PARAMETER,
    "137000": Advice("The person's WhatsApp identity changed.", "Make sure who it is before writing on."),
}

CHECKS: Final[dict[str, str]] = {
    "token": "Meta accepts the access token",
    "number": "The phone number is there and may send",
    "quality": "Meta's quality rating of the number is not red",
    "subscribed": "An app is subscribed to the account's notifications",
    "secret": "The app secret is entered",
    "webhook.verified": "Meta has verified the webhook address",
    "webhook.heard": "The first signed notification has arrived",
}

REMEDIES: Final[dict[str, str]] = {
    "token.renew": "Make a new token for a system user in the Meta business settings and enter it here.",
    "number.find": "Copy the phone number ID from WhatsApp, API Setup in the Meta app; it is not the number itself.",
    "number.state": "See the number's state in WhatsApp Manager; register it or resolve what Meta asks for.",
    "number.quality": "Write only to people who expect it; Meta may limit the number.",
    "graph.unreachable": "Check that this computer can reach graph.facebook.com.",
    "graph.later": "Meta did not answer as expected. Try again in a few minutes.",
    "waba.enter": "Enter the WhatsApp Business Account ID to have this checked.",
    "waba.permission": "Compare the WhatsApp Business Account ID, and give the token whatsapp_business_management.",
    "waba.subscribe": "Open WhatsApp, Configuration in the Meta app and subscribe the account to the field messages.",
    "secret.enter": "Enter the app secret; without it every notification is refused.",
    "webhook.verify": "Enter the webhook address and the verify token at Meta under WhatsApp, Configuration.",
    "webhook.say_hi": "Write to the number from any phone. This turns green when the message arrives.",
}


def advice_for(code: str) -> Advice | None:
    """Words for a problem's code; None if only the network's own words exist."""
    return PROBLEMS.get(code)
