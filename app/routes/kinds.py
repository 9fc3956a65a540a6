"""What kinds of messages are called, what the network's own messages say, and why one was not sent."""

import msgspec

from app import content as contents
from app.connectors.base import Problem
from app.connectors.states import advice_for
from app.i18n import _, fmt, tell
from app.saying import REMARKS
from app.store.inbox import Row

_problem: msgspec.json.Decoder[Problem] = msgspec.json.Decoder(Problem)


def reason(problem: str) -> str:
    """Why sending failed, as a sentence."""
    if not problem:
        return _("The channel was removed before it was sent.")
    try:
        found = _problem.decode(problem)
    except msgspec.DecodeError:
        return problem
    if advice := advice_for(found.code):
        return " ".join(filter(None, (_(advice.sentence), advice.remedy and _(advice.remedy))))
    said = found.detail or tell(found.title) or found.code
    return said if said.endswith((".", "!", "?")) else f"{said}."


def system_sentence(said: contents.System) -> str:
    if said.what == "disappearing":
        return _disappearing(said.data.get("seconds"))
    if said.what in REMARKS:
        return _(REMARKS[said.what]).format(
            name=f"“{said.data.get('name', '')}”", by=said.data.get("by", "")
        )  # fmt: skip
    sentences = {
        "user_changed_number": _("This person has a new number."),
        "user_changed_user_id": _("This person has a new id on the network."),
        "customer_identity_changed": _("The security code of this person changed."),
        "control_passed": _("The network's own agent passed this conversation on to you."),
        "user_preferences": marketing(said),
        "call": _("Called you."),
        "call_out": _("You called."),
        "call_ended": call_end(said),
        "call_recording_available": _("A recording of the call is there, at the network."),
        "call_transcription_available": _("A transcript of the call is there, at the network."),
        "person_blocked": _("This person blocked the bot, and is opted out."),
        "person_unblocked": _("This person lets the bot write again."),
    }
    return (
        said.text or sentences.get(said.what) or _("The network says: {what}").format(what=said.what.replace("_", " "))
    )


def marketing(said: contents.System) -> str:
    if said.data.get("value") == "stop":
        return _("This person wants no more marketing messages.")
    return _("This person takes marketing messages again.")


def call_end(said: contents.System) -> str:
    seconds = said.data.get("duration")
    if said.data.get("status") == "COMPLETED" and isinstance(seconds, int) and seconds > 0:
        return _("The call lasted {time}.").format(time=fmt.duration(seconds * 1000))
    return _("The call was not answered.")


def _disappearing(seconds: object) -> str:
    if not isinstance(seconds, int) or not seconds:
        return _("Messages of this chat do not disappear any more.")
    after = fmt.duration(seconds * 1000)
    return _("New messages of this chat disappear after {time}, here as on the phones.").format(time=after)


def newest(row: Row) -> str:
    """How a conversation's newest message begins, or what it was."""
    if row.snippet or not row.last_kind:
        return row.snippet or _("No messages yet")
    said = contents.decode(row.last_system) if row.last_system else None
    return system_sentence(said) if isinstance(said, contents.System) else kind_name(row.last_kind)


def kind_name(kind: str) -> str:
    """What a message without words is called in lists and quotes."""
    names = {
        "image": _("Photo"),
        "video": _("Video"),
        "audio": _("Audio"),
        "document": _("Document"),
        "sticker": _("Sticker"),
        "location": _("Location"),
        "contacts": _("Contact"),
        "reaction": _("Reaction"),
        "buttons": _("Buttons"),
        "poll": _("Poll"),
        "vote": _("Vote"),
        "list": _("List"),
        "cta_url": _("Link"),
        "flow": _("Form"),
        "request": _("Question"),
        "template": _("Template"),
        "button_reply": _("Button pressed"),
        "list_reply": _("Choice"),
        "flow_reply": _("Form filled in"),
        "order": _("Order"),
        "system": _("System message"),
        "edit": _("Changed a message"),
        "delete": _("Deleted a message"),
        "note": _("Note"),
        "unsupported": _("Not supported"),
    }
    return names.get(kind, _("Message"))
