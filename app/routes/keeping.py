"""“Make this a test”, under the explanation of any reply."""

from starlette.requests import Request
from starlette.responses import Response

from app import keeping
from app.i18n import _
from app.routes.respond import form, redirect


async def add_test(request: Request) -> Response:
    """The conversation becomes a test of the bot's draft, and the draft is shown."""
    bot_id = request.path_params["id"]
    conversation_id = (await form(request)).number("conversation") or 0
    name = await keeping.add_test(request.state.rt, bot_id, conversation_id, request.state.user)
    done = _("The draft has a new test: {name}").format(name=name)
    return redirect(request, str(request.app.url_path_for("bots.show", id=bot_id)), done=done)
