"""The least that an application manager does: it agrees to everything but a scale-in.

Usage: minimal_manager.py FENIX_URL PROJECT_ID PORT
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

fenix, project_id, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen: set[str] = set()


def call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Asks Fenix; with Keystone, a header X-Auth-Token with a token of the project goes here."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def answer(message: dict[str, Any]) -> None:
    """Replies to one message."""
    state, ids = message["state"], message["instance_ids"]
    if state in ("INSTANCE_ACTION_DONE", "TEST"):
        return  # it is only told
    if state == "SCALE_IN":
        call("PUT", message["reply_url"], {"state": "NACK_SCALE_IN"})
        return
    reply: dict[str, Any] = {"state": f"ACK_{state}"}
    if message["allowed_actions"] and isinstance(ids, list):
        reply["instance_action"] = "LIVE_MIGRATE"  # reply_url is the one instance's
    elif message["allowed_actions"]:
        concerned = call("GET", ids)["instance_ids"]
        reply["instance_actions"] = dict.fromkeys(concerned, "LIVE_MIGRATE")
    call("PUT", message["reply_url"], reply)


class Receiver(BaseHTTPRequestHandler):
    """Takes CloudEvents."""

    def do_POST(self) -> None:
        """Takes a message at once, and answers it later: a reply may take minutes."""
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if event["id"] not in seen:  # a message may come again
            seen.add(event["id"])
            threading.Thread(target=answer, args=(event["data"],)).start()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
wanted = {"url": f"http://127.0.0.1:{port}/", "format": "cloudevents", "project_id": project_id}
call("POST", f"{fenix}/subscription", wanted)
server.serve_forever()
