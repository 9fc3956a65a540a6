// Answers for the handler `prices` over the WebSocket. Node 22 or newer; Node 20 with --experimental-websocket.
//
//     PARLEY_URL=http://127.0.0.1:8080 PARLEY_KEY=pk_… node prices.mjs

const PRICES = { bread: 5, cake: 20 };
const address = process.env.PARLEY_URL.replace("http", "ws") + "/api/v1/socket";
const headers = { Authorization: `Bearer ${process.env.PARLEY_KEY}` };

// What is asked is the `json` of the bot's step. A status as of HTTP chooses the branch of a failure.
function price(data) {
  return data.item in PRICES ? { status: 200, body: { price: PRICES[data.item] } } : { status: 404 };
}

function work() {
  const socket = new WebSocket(address, { headers });
  const offered = new Map();
  const say = (words) => socket.send(JSON.stringify(words));
  socket.onopen = () => say({ do: "handle", id: "hello", handlers: ["prices"], at_once: 4 });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.question) {
      offered.set(message.question.id, message.question);
      say({ do: "taken", id: message.question.id, question: message.question.id });
    } else if (offered.has(message.id)) { // the answer to `taken`: begin if it is ours
      const question = offered.get(message.id);
      offered.delete(message.id);
      if (message.ok) say({ do: "answer", question: question.id, ...price(question.data) });
    }
  };
  socket.onerror = () => {};
  socket.onclose = () => setTimeout(work, 1000); // comes back after every break
}

work();
