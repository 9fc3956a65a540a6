"""Votes of contacts for a poll: encrypted with a key that comes of the poll's secret and of who asks and votes."""

import hashlib
import os
import time
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .curve import hkdf
from .library import common, e2e

if TYPE_CHECKING:
    from .people import Person


def vote(asker: "Person", voter: "Person", poll: str, titles: list[str], secret: bytes) -> Any:
    """The message of a vote. People are named by LID, as in the chat."""
    ids = str(asker.by_lid), str(voter.by_lid)
    key = hkdf(secret, None, f"{poll}{ids[0]}{ids[1]}Poll Vote".encode(), 32)
    chosen = e2e.PollVoteMessage(selectedOptions=[hashlib.sha256(title.encode()).digest() for title in titles])
    iv = os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, chosen.SerializeToString(), f"{poll}\0{ids[1]}".encode())
    update = e2e.PollUpdateMessage(
        pollCreationMessageKey=common.MessageKey(remoteJID=ids[0], fromMe=False, ID=poll),
        vote=e2e.PollEncValue(encPayload=sealed, encIV=iv),
        senderTimestampMS=int(time.time() * 1000),
    )
    return e2e.Message(pollUpdateMessage=update)
