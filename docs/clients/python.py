"""A client with the package websocket-client (Debian's python3-websocket).

The token in the variable TOKEN, if any, travels in a header.

    python3 python.py ws://localhost:3001 "a message to everyone"
"""
import json
import os
import sys

import websocket

url, *contents = sys.argv[1:]
token = os.environ.get("TOKEN")

# By default, the package sends an origin, as only pages should.
socket = websocket.create_connection(
    url,
    header={"Authorization": f"Bearer {token}"} if token else {},
    suppress_origin=True,
)
for content in contents:
    socket.send(json.dumps({"action": "sendMessage", "content": content}))
while frame := socket.recv():
    print(frame, flush=True)
