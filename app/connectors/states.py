"""The words for codes: states of a session, problems of a send, lines of "test it". One sentence each, for people.

A code with no entry here is a network's own; it is shown with the network's words beside it.
"""

from typing import Final

import msgspec

from app.said import mark

SENTENCES: Final[dict[str, str]] = {
    "starting": mark("Starting."),
    "connected": mark("Connected."),
    "reconnecting": mark("The connection was lost. Parley tries again by itself."),
    "pairing": mark("Waiting for the code to be scanned with the phone."),
    "logged_out": mark("The phone logged this device out. Link it again."),
    "unlinked": mark("The phone is not linked any more. Show a code to link it again."),
    "web.expired": mark("Nobody scanned the code in time. Show a new one when the phone is at hand."),
    "web.linked": mark("The phone was linked."),
    "web.unreachable": mark("WhatsApp cannot be reached. Parley tries again by itself."),
    "web.missing": mark("This Parley was installed without WhatsApp Web. Install it with the extra “web”."),
    "web.passkey": mark(
        "WhatsApp asks this account for a passkey before it links a device, which only its own apps can answer. "
        "Another number, or the Cloud API, gets around this."
    ),
    "web.outdated": mark("WhatsApp takes only newer versions of the client. Install the newest Parley."),
    "web.multidevice": mark("The phone's WhatsApp is too old to link devices. Update it, then show a new code."),
    "web.link_failed": mark("Linking failed. Show a new code and try again."),
    "web.phone_gone": mark("WhatsApp does not know the phone any more. Log in on the phone, then link it again."),
    "web.replaced": mark(
        "The same link was opened somewhere else. Stop the other Parley, then show a code or save the settings here."
    ),
    "web.banned": mark(
        "WhatsApp blocked the number for a time. Nothing is sent; write less and only to people who wrote, and try "
        "again when the time is over."
    ),
    "web.refused": mark("WhatsApp refused the connection. Try again later."),
    "web.died": mark("WhatsApp's client program ended unexpectedly. Parley starts it again by itself."),
    "web.hung": mark("WhatsApp's client program does not answer any more. Parley starts it again by itself."),
    "web.no_place": mark(
        "The database has no place for the phone's keys. See the detail; Parley tries again by itself."
    ),
    "web.crashed": mark(
        "WhatsApp's client program crashed three times in a day, so it is not started again by itself. Nothing is "
        "received or sent. Try again, and install the newest Parley if it goes on."
    ),
    "web.apart_crashed": mark(
        "Parley ended while this channel ran, so its client program now runs in a process of its own, where a crash "
        "stops nothing else."
    ),
    "web.apart_hung": mark(
        "The client program of this channel stopped answering, so it now runs in a process of its own, where it can be "
        "started again."
    ),
    "broken": mark("The connection cannot be set up. See the detail."),
    "account.refused": mark(
        "The network refuses the account or its token. Sending waits until the settings are changed."
    ),
    "telegram.token": mark("Telegram refuses the token. Copy it from BotFather again and enter it under Settings."),
    "telegram.other_program": mark(
        "Another program fetches the messages of this bot, so some of them do not arrive here. Stop it there, or make a"
        " bot for Parley alone; Parley goes on by itself then."
    ),
    "telegram.webhook_elsewhere": mark(
        "Another program had Telegram send this bot's messages to it. Stop it there, then save the settings below to"
        " take the bot over."
    ),
    "telegram.webhook_refused": mark(
        "Telegram does not take the public address of Parley. Correct PARLEY_PUBLIC_URL, or enter “polling” under"
        " Settings."
    ),
}


class Advice(msgspec.Struct, frozen=True):
    """What happened, and what to do about it (empty: nothing can be done, or nothing has to)."""

    sentence: str
    remedy: str = ""


_RATE = Advice(
    mark("The network's limit on messages is used up."), mark("Nothing: Parley slows down and goes on by itself.")
)
_LATER = Advice(mark("The network has a problem of its own."), mark("Nothing: Parley tries again by itself."))
_TOKEN = Advice(mark("The network refuses the access token."), mark("Enter a new token in the channel's settings."))
_PARAMETER = Advice(
    mark("The network refuses a value in the message."), mark("See the detail, correct the message, send it again.")
)
_TEMPLATE_VALUES = Advice(
    mark("The template's values do not fit the template."), mark("Compare number and kind of the values.")
)

PROBLEMS: Final[dict[str, Advice]] = {
    "send.limit": Advice(mark("The message is over a limit of the network."), mark("Shorten it or split it.")),
    "send.window": Advice(
        mark("The customer wrote more than 24 hours ago, so it was not sent."), mark("Send a template.")
    ),
    "send.content": Advice(mark("The network has no message of this kind."), mark("Send it in another form.")),
    "send.recipient": Advice(
        mark("No number or id of the person is known here."), mark("Wait until the person writes first.")
    ),
    "send.closed": Advice(mark("The channel was stopped."), mark("Start the channel; the message stays in the queue.")),
    "send.file_gone": Advice(
        mark("The file is not here any more, so the message was not sent."), mark("Send it again with another file.")
    ),
    "send.unreachable": Advice(
        mark("The network could not be reached; nothing was sent."), mark("Check the internet connection.")
    ),
    "send.no_answer": Advice(
        mark("The network did not answer, so it is not known whether the message arrived."),
        mark("Look at the phone, then choose Resend or Discard."),
    ),
    "send.refused": Advice(
        mark("The gateway refused the message."), mark("See the detail, correct what it says, send it again.")
    ),
    "send.busy": Advice(mark("The gateway has too much to do."), mark("Nothing: Parley tries again by itself.")),
    "send.no_id": Advice(
        mark("The network answered without an id, so it is not known whether the message arrived."),
        mark("Look at the phone, then choose Resend or Discard."),
    ),
    "send.interrupted": Advice(
        mark("Parley was stopped during the send, so it is not known whether the message arrived."),
        mark("Look at the phone, then choose Resend or Discard."),
    ),
    "channel.stopped": Advice(
        mark("The channel was stopped while this was being sent."), mark("Look at the phone before resending.")
    ),
    "bot.opted_out": Advice(mark("The person opted out, so the bot did not write.")),
    "bot.taken": Advice(mark("A person had the conversation when its time came, so the bot did not write.")),
    "bot.missed": Advice(
        mark("Parley did not run when its time came, and an hour later it was too late."),
        mark("Write yourself if it still matters."),
    ),
    "send.file_unread": Advice(
        mark("The file could not be fetched from its address."), mark("Check that the address is public and right.")
    ),
    "web.stranger": Advice(
        mark("This person has never written to the linked phone, and strangers are not written to."),
        mark("Wait until the person writes, or allow it in the channel's settings."),
    ),
    "web.loop": Advice(
        mark("Too many messages to one person in half a minute, as when two bots answer each other."),
        mark("Nothing: Parley waits and goes on by itself."),
    ),
    "web.opening": Advice(
        mark("Few people who never wrote are written to in a day, and few get the same words in an hour."),
        mark("Nothing: it goes when its time comes. Better let people write first."),
    ),
    "web.budget": Advice(
        mark("The linked phone has sent as much as a person would."), mark("Nothing: Parley goes on by itself.")
    ),
    "web.offline": Advice(
        mark("The phone is not linked or not connected; nothing was sent."), mark("See how the channel stands.")
    ),
    "web.not_there": Advice(mark("This number is not on WhatsApp."), mark("Check the number.")),
    "web.not_taken": Advice(mark("WhatsApp did not take the message."), mark("See the detail.")),
    "web.upload": Advice(mark("WhatsApp did not take the file."), mark("Nothing: Parley tries again by itself.")),
    "web.download": Advice(mark("The file could not be fetched."), mark("Nothing: Parley tries again by itself.")),
    "web.file_gone": Advice(mark("WhatsApp does not have the file any more."), mark("Ask for it again.")),
    "web.file_big": Advice(mark("The file is over 100 MB."), mark("Ask for a smaller one.")),
    "web.no_code": Advice(mark("WhatsApp gave no code."), mark("Wait for the QR code, then ask again.")),
    "graph.unreachable": Advice(mark("Meta's Graph API could not be reached."), mark("Check the internet connection.")),
    "graph.garbled": Advice(
        mark("Meta's Graph API answered something unreadable."), mark("Try again in a few minutes.")
    ),
    "telegram.rate": Advice(
        mark("Telegram asked to write more slowly."), mark("Nothing: Parley waits as long as Telegram said.")
    ),
    "telegram.token": Advice(
        mark("Telegram refuses the token of the bot."),
        mark("Copy it from BotFather again and enter it at the channel."),
    ),
    "telegram.later": Advice(
        mark("Telegram had a problem of its own, so it is not known whether the message arrived."),
        mark("Look at the phone, then choose Resend or Discard."),
    ),
    "telegram.blocked": Advice(mark("The person blocked the bot."), mark("Reach the person another way.")),
    "telegram.deactivated": Advice(mark("The person deleted their Telegram account.")),
    "telegram.forbidden": Advice(
        mark("The bot may not write there: it was removed from the group, or is not allowed to write in it."),
        mark("Add the bot to the group again."),
    ),
    "telegram.stranger": Advice(
        mark("Telegram lets a bot write only to people who have started it."),
        mark("Give the person the bot's link and wait until they press Start."),
    ),
    "telegram.gone": Advice(mark("The message is not there any more.")),
    "telegram.file": Advice(
        mark("Telegram could not get the file."), mark("Check that its address is public and leads to the file itself.")
    ),
    "telegram.too_big": Advice(
        mark("The file is too big: bots get at most 20 MB, and send at most 50 MB."), mark("Use a smaller file.")
    ),
    "failed": Advice(mark("The network reports a failure without a reason.")),
    "0": _TOKEN,
    "1": _LATER,
    "2": _LATER,
    "3": Advice(
        mark("The token lacks a permission."),
        mark("Give the system user whatsapp_business_messaging and renew the token."),
    ),
    "4": _RATE,
    "10": Advice(
        mark("The token lacks a permission."),
        mark("Give the system user whatsapp_business_messaging and renew the token."),
    ),
    "33": Advice(mark("Meta does not know this phone number ID."), mark("Compare it with API Setup in the Meta app.")),
    "100": _PARAMETER,
    "102": _TOKEN,
    "190": _TOKEN,
    "368": Advice(
        mark("Meta has blocked the account for a violation of its policies."), mark("See Account quality at Meta.")
    ),
    "80007": _RATE,
    "130429": _RATE,
    "130472": Advice(mark("Meta keeps this person out of marketing messages as part of an experiment.")),
    "130497": Advice(mark("The business may not write to people in this country.")),
    "131000": _LATER,
    "131005": Advice(
        mark("The token lacks a permission."), mark("Give the system user the permissions and renew the token.")
    ),
    "131008": _PARAMETER,
    "131009": _PARAMETER,
    "131016": _LATER,
    "131021": Advice(mark("Sender and recipient are the same number.")),
    "131026": Advice(
        mark(
            "The message cannot be delivered: the person may not use WhatsApp, have an old version or have blocked you."
        ),
        mark("Check the number, or reach the person another way."),
    ),
    "131030": Advice(
        mark("A test number may write to listed people only."), mark("Add the person under API Setup in the Meta app.")
    ),
    "131031": Advice(mark("Meta has locked the account."), mark("See Account quality at Meta.")),
    "131037": Advice(mark("The display name is not approved."), mark("Request approval in WhatsApp Manager.")),
    "131042": Advice(
        mark("Meta cannot charge the account."), mark("Put the payment method in order in WhatsApp Manager.")
    ),
    "131045": Advice(mark("The number is not registered."), mark("Register it in WhatsApp Manager.")),
    "131047": Advice(mark("More than 24 hours since the person's last message."), mark("Send a template.")),
    "131048": Advice(
        mark("Meta limits the number because people blocked it or reported its messages."),
        mark("Write only to people who expect it; see the quality rating in WhatsApp Manager."),
    ),
    "131049": Advice(
        mark("Meta did not deliver it, to limit marketing to this person."), mark("Do not repeat it within 24 hours.")
    ),
    "131050": Advice(
        mark("The person stopped marketing messages from the business."), mark("Send no marketing to this person.")
    ),
    "131051": Advice(mark("The network has no message of this kind."), mark("Send it in another form.")),
    "131052": Advice(mark("The file that the person sent could not be fetched by Meta."), mark("Ask for it again.")),
    "131053": Advice(
        mark("Meta could not take the file."), mark("Check type and size of the file and that its address is public.")
    ),
    "131056": Advice(
        mark("Too many messages to one person in a short time."), mark("Nothing: Parley waits and goes on by itself.")
    ),
    "131057": Advice(
        mark("The number is under maintenance for a few minutes."), mark("Nothing: Parley tries again by itself.")
    ),
    "131062": Advice(mark("This kind of message needs the person's phone number."), mark("Ask for the number first.")),
    "132000": _TEMPLATE_VALUES,
    "132001": Advice(
        mark("There is no approved template of this name in this language."), mark("See the channel's templates.")
    ),
    "132005": Advice(mark("The template with its values is too long."), mark("Shorten the values.")),
    "132007": Advice(mark("The template breaks a content policy."), mark("Change the template.")),
    "132012": _TEMPLATE_VALUES,
    "132015": Advice(
        mark("Meta has paused the template because of low quality."), mark("Change the template or use another one.")
    ),
    "132016": Advice(mark("Meta has disabled the template for good."), mark("Use another template.")),
    "132018": _TEMPLATE_VALUES,
    "132068": Advice(mark("The form is blocked."), mark("Correct it in WhatsApp Manager.")),
    "132069": Advice(mark("The form is throttled."), mark("Nothing: Parley tries again by itself.")),
    "template.no_account": Advice(
        mark("The WhatsApp Business Account ID is not entered."), mark("Enter it in the channel's settings.")
    ),
    "template.2388023": Advice(
        mark("A template of this name was deleted not long ago."), mark("Choose another name, or wait for 30 days.")
    ),
    "template.2388024": Advice(
        mark("Meta has a template of this name in this language already."), mark("Fetch the templates to see it.")
    ),
    "template.2388019": Advice(
        mark("The account has as many templates as Meta allows."), mark("Delete some that are not used.")
    ),
    "template.2388025": Advice(mark("Meta takes no change of a template in this state.")),
    "template.2388026": Advice(mark("The category of an approved template cannot be changed.")),
    "template.2388039": Advice(
        mark("Meta lets an approved template be changed once a day, and ten times in 30 days."), mark("Try tomorrow.")
    ),
    "template.2388040": Advice(mark("A part of the template is too long.")),
    "template.2388043": Advice(mark("An example is missing.")),
    "template.2388047": Advice(mark("The header holds what a header may not hold.")),
    "template.2388072": Advice(mark("The text holds what a text may not hold.")),
    "template.2388073": Advice(mark("The footer holds what a footer may not hold.")),
    "template.2388273": Advice(mark("The header needs an example of its file."), mark("Choose a file again.")),
    "template.2388293": Advice(
        mark("There are too many variables for so few words."), mark("Write more words, or use fewer variables.")
    ),
    "template.2388299": Advice(mark("A variable stands at the beginning or at the end of the text.")),
    "template.2593002": Advice(mark("Meta has no such template any more."), mark("Fetch the templates.")),
    "133004": _LATER,
    "133010": Advice(mark("The number is not registered."), mark("Register it in WhatsApp Manager.")),
    "135000": _PARAMETER,
    "137000": Advice(mark("The person's WhatsApp identity changed."), mark("Make sure who it is before writing on.")),
}

CHECKS: Final[dict[str, str]] = {
    "token": mark("Meta accepts the access token"),
    "number": mark("The phone number is there and may send"),
    "quality": mark("Meta's quality rating of the number is not red"),
    "subscribed": mark("An app is subscribed to the account's notifications"),
    "secret": mark("The app secret is entered"),
    "webhook.verified": mark("Meta has verified the webhook address"),
    "webhook.heard": mark("The first signed notification has arrived"),
    "telegram.token": mark("Telegram accepts the token"),
    "telegram.polling": mark("Parley alone asks Telegram for this bot's messages"),
    "telegram.webhook": mark("Telegram reaches Parley at its public address"),
    "telegram.privacy": mark("In groups the bot is shown only what is meant for it"),
}

REMEDIES: Final[dict[str, str]] = {
    "token.renew": mark("Make a new token for a system user in the Meta business settings and enter it here."),
    "number.find": mark(
        "Copy the phone number ID from WhatsApp, API Setup in the Meta app; it is not the number itself."
    ),
    "number.state": mark("See the number's state in WhatsApp Manager; register it or resolve what Meta asks for."),
    "number.quality": mark("Write only to people who expect it; Meta may limit the number."),
    "graph.unreachable": mark("Check that this computer can reach graph.facebook.com."),
    "graph.later": mark("Meta did not answer as expected. Try again in a few minutes."),
    "waba.enter": mark("Enter the WhatsApp Business Account ID to have this checked."),
    "waba.permission": mark(
        "Compare the WhatsApp Business Account ID, and give the token whatsapp_business_management."
    ),
    "waba.subscribe": mark(
        "Open WhatsApp, Configuration in the Meta app and subscribe the account to the field messages."
    ),
    "secret.enter": mark("Enter the app secret; without it every notification is refused."),
    "webhook.verify": mark("Enter the webhook address and the verify token at Meta under WhatsApp, Configuration."),
    "telegram.renew": mark("Open BotFather, send /token, choose the bot, and enter what it answers."),
    "telegram.unreachable": mark("Check that this computer can reach api.telegram.org."),
    "telegram.wait": mark("Telegram did not answer as expected. Try again in a few minutes."),
    "telegram.elsewhere": mark(
        "Another program has taken the bot over. Stop it there, then save the settings below to take it back."
    ),
    "telegram.address": mark(
        "Check that PARLEY_PUBLIC_URL leads here from outside, with a certificate that is not self-signed."
    ),
    "telegram.private": mark(
        "Nothing has to be done: Parley leaves the rest alone. To keep it from the bot altogether, send /setprivacy to"
        " BotFather and choose Enable."
    ),
    "webhook.say_hi": mark("Write to the number from any phone. This turns green when the message arrives."),
}


def advice_for(code: str) -> Advice | None:
    """Words for a problem's code; None if only the network's own words exist."""
    return PROBLEMS.get(code)


def sentence(code: str) -> str:
    """The state code in words, in English."""
    return SENTENCES.get(code, code)
