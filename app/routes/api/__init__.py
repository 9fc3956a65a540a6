"""The JSON API, version 1: every address, what it needs, what it does. OpenAPI and the docs page are made of it."""

from typing import Final

from app.routes.api import auth, channels, conversations, messages, tokens
from app.routes.api.endpoint import Endpoint
from app.security.permissions import Action

READ, ANSWER, CONNECT, ADMINISTER = Action.READ, Action.ANSWER, Action.CONNECT, Action.ADMINISTER

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    # Log-in
    Endpoint("POST", "/auth/token", auth.log_in, "logIn", None, "Log in for an access and a refresh token"),
    Endpoint("POST", "/auth/refresh", auth.refresh, "refreshToken", None, "Change a refresh token for a new pair"),
    Endpoint("POST", "/auth/revoke", auth.revoke, "revokeToken", None, "Log out", status=204),
    # Messages
    Endpoint("POST", "/messages", messages.send, "sendMessage", ANSWER, "Send a message", status=202),
    Endpoint("GET", "/messages/{id:id}", messages.show, "getMessage", READ, "One message and what became of it"),
    Endpoint("POST", "/messages/{id:id}/resend", messages.resend, "resendMessage", ANSWER, "Send a held message again"),
    Endpoint("POST", "/messages/{id:id}/discard", messages.discard, "discardMessage", ANSWER, "Give up a held message"),
    # Conversations
    Endpoint("GET", "/conversations", conversations.index, "listConversations", READ, "Conversations, newest first"),
    Endpoint("GET", "/conversations/{id:id}", conversations.show, "getConversation", READ, "One conversation"),
    Endpoint(
        "GET", "/conversations/{id:id}/messages", conversations.thread, "listMessages", READ, "Messages, newest first"
    ),
    Endpoint("POST", "/conversations/{id:id}/take", conversations.take, "takeConversation", ANSWER, "Take it over"),
    Endpoint(
        "POST", "/conversations/{id:id}/give-back", conversations.give_back, "giveBackConversation", ANSWER,
        "Give it back to the bot",
    ),
    Endpoint("POST", "/conversations/{id:id}/close", conversations.close, "closeConversation", ANSWER, "Close it"),
    # Channels
    Endpoint("GET", "/channels", channels.index, "listChannels", READ, "Channels, oldest first"),
    Endpoint("POST", "/channels", channels.create, "createChannel", CONNECT, "Connect a channel", status=201),
    Endpoint("GET", "/channels/{id:id}", channels.show, "getChannel", READ, "One channel"),
    Endpoint("PATCH", "/channels/{id:id}", channels.change, "changeChannel", CONNECT, "Change a channel"),
    Endpoint("DELETE", "/channels/{id:id}", channels.delete, "deleteChannel", CONNECT, "Remove a channel", status=204),
    Endpoint("POST", "/channels/{id:id}/test", channels.test, "testChannel", CONNECT, "Try what works"),
    # API keys
    Endpoint("GET", "/tokens", tokens.index, "listTokens", ADMINISTER, "API keys, newest first"),
    Endpoint("POST", "/tokens", tokens.create, "createToken", ADMINISTER, "Make an API key", status=201),
    Endpoint("GET", "/tokens/{id:id}", tokens.show, "getToken", ADMINISTER, "One API key"),
    Endpoint("DELETE", "/tokens/{id:id}", tokens.delete, "deleteToken", ADMINISTER, "Delete an API key", status=204),
)  # fmt: skip
