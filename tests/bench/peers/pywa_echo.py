"""pywa under Starlette: answers every text. Keeps nothing. Arguments: port, the network's port."""

import sys

import httpx
import uvicorn
from pywa_async import WhatsApp, filters, types
from starlette.applications import Starlette

PORT, NETWORK = int(sys.argv[1]), int(sys.argv[2])
app = Starlette()
bot = WhatsApp(
    phone_id="106540352242922",
    token="E" * 180,
    server=app,
    verify_token="bench",
    app_secret="secret-of-the-benchmark",
    webhook_endpoint="/hook",
    session=httpx.AsyncClient(timeout=30),
)
bot.api._session.base_url = f"http://127.0.0.1:{NETWORK}/v23.0"


@bot.on_message(filters.text)
async def answer(_: WhatsApp, message: types.Message) -> None:
    await message.reply_text("You said: " + message.text[:80])


if __name__ == "__main__":
    uvicorn.run(app, port=PORT, loop="uvloop", http="httptools", access_log=False, log_level="warning")
