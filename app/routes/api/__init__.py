"""The JSON API, version 1: every address, what it needs, what it does. OpenAPI and the docs page are made of it."""

from typing import Final

from app.routes.api import (
    audit,
    auth,
    away,
    bots,
    channels,
    contacts,
    conversations,
    exports,
    imports,
    invitations,
    media,
    messages,
    questions,
    rights,
    searching,
    sessions,
    statistics,
    teams,
    templates,
    tokens,
    triggers,
    troubles,
    users,
    webhooks,
)
from app.routes.api.endpoint import Endpoint
from app.security.permissions import Action

READ, ANSWER, BUILD = Action.READ, Action.ANSWER, Action.BUILD
CONNECT, ADMINISTER = Action.CONNECT, Action.ADMINISTER

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    # Log-in
    Endpoint("POST", "/auth/token", auth.log_in, "logIn", None, "Log in for an access and a refresh token"),
    Endpoint("POST", "/auth/refresh", auth.refresh, "refreshToken", None, "Change a refresh token for a new pair"),
    Endpoint("POST", "/auth/revoke", auth.revoke, "revokeToken", None, "Log out", status=204),
    Endpoint("GET", "/auth/access", rights.show, "getAccess", None, "What this credential may do"),
    # Messages
    Endpoint("POST", "/messages", messages.send, "sendMessage", ANSWER, "Send a message", status=202),
    Endpoint(
        "POST", "/messages/bulk", messages.send_many, "sendMessages", ANSWER, "Send up to a hundred messages",
        status=202,
    ),
    Endpoint("GET", "/messages/export", exports.messages, "exportMessages", ADMINISTER, "Messages as CSV or NDJSON"),
    Endpoint("GET", "/messages", searching.find, "searchMessages", READ, "Messages with these words, newest first"),
    Endpoint("GET", "/messages/{id:id}", messages.show, "getMessage", READ, "One message and what became of it"),
    Endpoint("PATCH", "/messages/{id:id}", messages.correct, "correctMessage", ANSWER, "Change what was sent"),
    Endpoint("DELETE", "/messages/{id:id}", messages.take_back, "takeBackMessage", ANSWER, "Take it back", status=204),
    Endpoint("POST", "/messages/{id:id}/resend", messages.resend, "resendMessage", ANSWER, "Send a held message again"),
    Endpoint("POST", "/messages/{id:id}/discard", messages.discard, "discardMessage", ANSWER, "Give up a held message"),
    # Conversations
    Endpoint("GET", "/conversations", conversations.index, "listConversations", READ, "Conversations, newest first"),
    Endpoint(
        "GET", "/conversations/export", exports.conversations, "exportConversations", ADMINISTER,
        "Conversations as CSV or NDJSON",
    ),
    Endpoint("GET", "/conversations/{id:id}", conversations.show, "getConversation", READ, "One conversation"),
    Endpoint(
        "GET", "/conversations/{id:id}/messages", conversations.thread, "listMessages", READ, "Messages, newest first"
    ),
    Endpoint("POST", "/conversations/{id:id}/take", conversations.take, "takeConversation", ANSWER, "Take it over"),
    Endpoint(
        "POST", "/conversations/{id:id}/give-back", conversations.give_back, "giveBackConversation", ANSWER,
        "Give it back to the bot",
    ),
    Endpoint("POST", "/conversations/{id:id}/assign", conversations.assign, "assignConversation", ANSWER, "Assign it"),
    Endpoint("POST", "/conversations/{id:id}/close", conversations.close, "closeConversation", ANSWER, "Close it"),
    # What a bot is asked for by name
    Endpoint("POST", "/triggers", triggers.trigger_somebody, "triggerContact", ANSWER, "Ask a bot to write"),
    Endpoint("POST", "/conversations/{id:id}/triggers", triggers.trigger, "trigger", ANSWER, "Ask a bot by name"),
    # What bots ask programs
    Endpoint("POST", "/questions/next", questions.next_question, "nextQuestion", ANSWER, "Wait for a bot's question"),
    Endpoint(
        "POST", "/questions/{id:id}/answer", questions.answer, "answerQuestion", ANSWER, "Answer it", status=204
    ),
    # Contacts
    Endpoint("GET", "/contacts", contacts.index, "listContacts", READ, "Contacts, newest first"),
    Endpoint("POST", "/contacts", contacts.create, "createContact", ANSWER, "Make a contact", status=201),
    Endpoint("PATCH", "/contacts", contacts.change_many, "changeContacts", ANSWER, "Change up to 200 contacts"),
    Endpoint("POST", "/contacts/bulk", contacts.put_many, "putContacts", ANSWER, "Make or complete up to 200 contacts"),
    Endpoint("GET", "/contacts/export", exports.contacts, "exportContacts", ADMINISTER, "Contacts as CSV or NDJSON"),
    Endpoint(
        "POST", "/contacts/import", contacts.bring_in, "importContacts", ANSWER, "Contacts from CSV",
        largest=contacts.LARGEST,
    ),
    Endpoint("GET", "/contacts/imports", imports.index, "listImports", ANSWER, "Files of contacts, newest first"),
    Endpoint(
        "POST", "/contacts/imports", imports.take, "createImport", ANSWER, "Take in a file of contacts", status=201,
        largest=imports.LARGEST,
    ),
    Endpoint("GET", "/contacts/imports/{id:id}", imports.show, "getImport", ANSWER, "How far an import is"),
    Endpoint("POST", "/contacts/imports/{id:id}/preview", imports.preview, "previewImport", ANSWER, "Try its mapping"),
    Endpoint("POST", "/contacts/imports/{id:id}/start", imports.start, "startImport", ANSWER, "Bring them in"),
    Endpoint("GET", "/contacts/imports/{id:id}/wrong", imports.wrong, "getWrongRows", ANSWER, "Rows that did not fit"),
    Endpoint("DELETE", "/contacts/imports/{id:id}", imports.delete, "deleteImport", ANSWER, "Forget it", status=204),
    Endpoint("GET", "/contacts/{id:id}", contacts.show, "getContact", READ, "One contact"),
    Endpoint("PATCH", "/contacts/{id:id}", contacts.change, "changeContact", ANSWER, "Change a contact"),
    Endpoint("POST", "/contacts/{id:id}/merge", contacts.merge, "mergeContacts", ADMINISTER, "Two are one person"),
    Endpoint("GET", "/contacts/{id:id}/merges", contacts.merges, "listMerges", READ, "Who went into a contact"),
    Endpoint("POST", "/contacts/{id:id}/unmerge", contacts.unmerge_, "unmergeContact", ADMINISTER, "Undo a merge"),
    Endpoint("DELETE", "/contacts/{id:id}", contacts.delete, "eraseContact", ADMINISTER, "Erase a contact"),
    Endpoint("GET", "/contacts/{id:id}/aliases", contacts.aliases, "listAliases", READ, "Every name of a contact"),
    # Files
    Endpoint(
        "POST", "/media", media.take, "uploadMedia", ANSWER, "Send a file here", status=201, largest=media.LARGEST
    ),
    Endpoint("GET", "/media/{id:id}", media.show, "getMedia", READ, "What is known of a file"),
    Endpoint("GET", "/media/{id:id}/content", media.fetch, "downloadMedia", READ, "The file itself"),
    # Analytics
    Endpoint("GET", "/analytics/summary", statistics.summary, "getStatistics", READ, "A period in numbers"),
    Endpoint("GET", "/analytics/hours", statistics.hours, "getHours", READ, "A period hour by hour"),
    # Bots
    Endpoint("GET", "/bots", bots.index, "listBots", READ, "Bots, oldest first"),
    Endpoint("POST", "/bots", bots.create, "createBot", BUILD, "Make a bot", status=201, largest=bots.LARGEST),
    Endpoint("GET", "/bots/starters", bots.starters, "listStarters", READ, "What a bot can begin with"),
    Endpoint("GET", "/bots/{id:id}", bots.show, "getBot", READ, "One bot"),
    Endpoint("GET", "/bots/{id:id}/draft", bots.draft, "getDraft", READ, "Its draft"),
    Endpoint("PUT", "/bots/{id:id}/draft", bots.save, "saveDraft", BUILD, "Save its draft", largest=bots.LARGEST),
    Endpoint("POST", "/bots/{id:id}/lint", bots.lint, "lintBot", READ, "Check a document", largest=bots.LARGEST),
    Endpoint("POST", "/bots/{id:id}/test", bots.test, "testBot", READ, "Run the draft's tests"),
    Endpoint("POST", "/bots/{id:id}/publish", bots.publish, "publishBot", BUILD, "Publish the draft"),
    Endpoint("GET", "/bots/{id:id}/versions", bots.versions, "listVersions", READ, "Versions, newest first"),
    Endpoint("GET", "/bots/{id:id}/versions/{number:id}", bots.version, "getVersion", READ, "One version's document"),
    # Channels
    Endpoint("GET", "/channels", channels.index, "listChannels", READ, "Channels, oldest first"),
    Endpoint("POST", "/channels", channels.create, "createChannel", CONNECT, "Connect a channel", status=201),
    Endpoint("GET", "/channels/{id:id}", channels.show, "getChannel", READ, "One channel"),
    Endpoint("PATCH", "/channels/{id:id}", channels.change, "changeChannel", CONNECT, "Change a channel"),
    Endpoint("DELETE", "/channels/{id:id}", channels.delete, "deleteChannel", CONNECT, "Remove a channel", status=204),
    Endpoint("POST", "/channels/{id:id}/test", channels.test, "testChannel", CONNECT, "Try what works"),
    Endpoint("PUT", "/channels/{id:id}/version", bots.point, "pointChannel", BUILD, "Choose who answers"),
    Endpoint("GET", "/channels/{id:id}/health", channels.show_health, "getHealth", READ, "How a linked phone stands"),
    Endpoint("GET", "/channels/{id:id}/away", away.index, "listAway", READ, "What came while it was away"),
    Endpoint("POST", "/channels/{id:id}/away", away.decide, "decideAway", ANSWER, "Answer, skip or hand over"),
    # Templates
    Endpoint("GET", "/templates", templates.index, "listTemplates", READ, "Templates of one channel or of all"),
    Endpoint("POST", "/templates", templates.create, "createTemplate", BUILD, "Make a template", status=201),
    Endpoint("POST", "/templates/fetch", templates.fetch, "fetchTemplates", BUILD, "Fetch them from the network"),
    Endpoint("GET", "/templates/{id:id}", templates.show, "getTemplate", READ, "One template"),
    Endpoint("PATCH", "/templates/{id:id}", templates.change, "changeTemplate", BUILD, "Change a template"),
    Endpoint("POST", "/templates/{id:id}/submit", templates.submit, "submitTemplate", BUILD, "Hand in for review"),
    Endpoint("DELETE", "/templates/{id:id}", templates.delete, "deleteTemplate", BUILD, "Delete it", status=204),
    # Webhooks
    Endpoint("GET", "/webhooks", webhooks.index, "listWebhooks", ADMINISTER, "Webhooks, oldest first"),
    Endpoint("POST", "/webhooks", webhooks.create, "createWebhook", ADMINISTER, "Send events somewhere", status=201),
    Endpoint("GET", "/webhooks/{id:id}", webhooks.show, "getWebhook", ADMINISTER, "One webhook"),
    Endpoint("PATCH", "/webhooks/{id:id}", webhooks.change, "changeWebhook", ADMINISTER, "Change a webhook"),
    Endpoint("DELETE", "/webhooks/{id:id}", webhooks.delete, "deleteWebhook", ADMINISTER, "Delete it", status=204),
    Endpoint("POST", "/webhooks/{id:id}/rotate", webhooks.rotate, "rotateSecret", ADMINISTER, "Give it a new secret"),
    Endpoint("POST", "/webhooks/{id:id}/test", webhooks.test, "testWebhook", ADMINISTER, "Send a test event"),
    Endpoint("GET", "/webhooks/{id:id}/deliveries", webhooks.deliveries, "listDeliveries", ADMINISTER, "Deliveries"),
    Endpoint(
        "POST", "/webhooks/{id:id}/replay", webhooks.replay, "replayDelivery", ADMINISTER, "Send one again", status=204
    ),
    # People
    Endpoint("GET", "/users", users.index, "listUsers", ADMINISTER, "People, oldest first"),
    Endpoint("POST", "/users", users.create, "createUser", ADMINISTER, "Add a person", status=201),
    Endpoint("GET", "/users/{id:id}", users.show, "getUser", ADMINISTER, "One person"),
    Endpoint("PATCH", "/users/{id:id}", users.change, "changeUser", ADMINISTER, "Change a person's role, or disable"),
    # The audit log
    Endpoint("GET", "/audit", audit.index, "listAudit", ADMINISTER, "Who changed what, newest first"),
    # Errors of Parley itself
    Endpoint("GET", "/errors", troubles.index, "listErrors", ADMINISTER, "Errors in groups, the last one first"),
    Endpoint("GET", "/errors/{id:id}", troubles.show, "getError", ADMINISTER, "One group of errors"),
    Endpoint("PATCH", "/errors/{id:id}", troubles.mark, "markError", ADMINISTER, "Resolve, ignore or reopen it"),
    # Invitations
    Endpoint("GET", "/invitations", invitations.index, "listInvitations", ADMINISTER, "Open invitations"),
    Endpoint("POST", "/invitations", invitations.create, "createInvitation", ADMINISTER, "Invite a person", status=201),
    Endpoint(
        "DELETE", "/invitations/{id:id}", invitations.revoke, "revokeInvitation", ADMINISTER, "Take it back", status=204
    ),
    # Sessions
    Endpoint("GET", "/sessions", sessions.index, "listSessions", ADMINISTER, "Who is logged in where, newest first"),
    Endpoint("DELETE", "/sessions/{id:id}", sessions.end, "endSession", ADMINISTER, "Log somebody out", status=204),
    # Teams
    Endpoint("GET", "/teams", teams.index, "listTeams", ADMINISTER, "Teams and who is in them"),
    Endpoint("POST", "/teams", teams.create, "createTeam", ADMINISTER, "Add a team", status=201),
    Endpoint("PATCH", "/teams/{id:id}", teams.change, "changeTeam", ADMINISTER, "Limit it to channels", status=204),
    Endpoint("DELETE", "/teams/{id:id}", teams.delete, "deleteTeam", ADMINISTER, "Remove a team", status=204),
    Endpoint("PUT", "/teams/{id:id}/members/{user:id}", teams.join, "joinTeam", ADMINISTER, "Join", status=204),
    Endpoint("DELETE", "/teams/{id:id}/members/{user:id}", teams.leave, "leaveTeam", ADMINISTER, "Leave", status=204),
    # API keys
    Endpoint("GET", "/tokens", tokens.index, "listTokens", ADMINISTER, "API keys, newest first"),
    Endpoint("POST", "/tokens", tokens.create, "createToken", ADMINISTER, "Make an API key", status=201),
    Endpoint("GET", "/tokens/{id:id}", tokens.show, "getToken", ADMINISTER, "One API key"),
    Endpoint("DELETE", "/tokens/{id:id}", tokens.delete, "deleteToken", ADMINISTER, "Delete an API key", status=204),
)  # fmt: skip
