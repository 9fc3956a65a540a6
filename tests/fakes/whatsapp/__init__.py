"""A WhatsApp server for linked devices, and the phones behind it, on loopback: an own program that shares no code with
Parley.

The real client library links itself to it by QR or pairing code, logs in, and sends and receives with real Signal
encryption. `redirect.py` turns the library to it in the memory of the process under test; nothing on disk changes.
`python -m tests.fakes.whatsapp` gives a phone to play with.

A frame comes in through `socket.py` (WebSocket, Noise) → `device.py` (stanzas) → `answers.py` (queries), `linking.py`;
what contacts say goes out through `server.py` → `signal.py` (encryption) → `nodes.py` (binary XML).
"""
