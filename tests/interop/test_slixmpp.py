"""slixmpp, a client of XMPP as such, against the server."""

import json
from pathlib import Path
from typing import Any

from tests.interop.case import InteropCase, add_account, ask
from tests.interop.children import Child
from tests.interop.installs import slixmpp_python
from tests.interop.server import HOST, Server, environment

SCRIPT = Path(__file__).with_name("slixmpp_session.py")

#: How the server refuses what it has not (xmpp.md 10).
NOT_HERE = {"condition": "feature-not-implemented", "type": "cancel", "code": "501"}

#: How it says that a robot is away (xmpp.md 9).
AWAY = {"condition": "recipient-unavailable", "type": "wait", "code": "404"}

ABSENT = "E0009876500000000000@126.ecorobot.net/atom"

BATTERY = [["battery", {"power": "087"}]]


class SlixmppTests(InteropCase):
    """A client that verifies our certificate, and is strict about addresses and stanzas."""

    def setUp(self) -> None:
        super().setUp()
        self.python = slixmpp_python()

    def client(self, server: Server, **more: str) -> Child:
        """Start a session of somebody who has logged in over HTTP."""
        ports = server.ports()
        said = {"account": "owner@example.org", "password": "hunter2"}
        given = ask(ports.web, "POST", "/api/login", said).json
        where = {"host": HOST, "port": ports.xmpp, "ca": str(server.ca)}
        options = {**where, "uid": given["uid"], "token": given["token"], **more}
        # -P: our neighbours in this folder are not for its imports.
        argv = [str(self.python), "-P", str(SCRIPT), json.dumps(options)]
        return self.session(argv, environment())

    def test_session(self) -> None:
        """Login, services, a robot, one that is away, and the same address twice."""
        server = self.serve()
        [robot] = self.robots(server.ports().xmpp, json=0, xml=0, xmpp=1).xmpp
        jid = f"{robot.did}@{robot.cls}.ecorobot.net/atom"
        saw = self.finished(self.client(server, robot=jid, absent=ABSENT))
        self.assertEqual((saw["login"], saw["refused"]), ("session_start", []))
        self.assertTrue(saw["jid"].endswith("@ecouser.net/slix1"), saw["jid"])
        self.check_services(saw)
        self.check_robot(saw, jid)
        self.check_absent(saw)
        self.assertEqual((saw["again"], saw["conflict"]), ("session_start", ["conflict"]))
        self.assertEqual((saw["again ping"], saw["left"]), (True, []))
        self.assertIn("done", saw)

    def check_services(self, saw: dict[str, Any]) -> None:
        """The server answers for itself."""
        self.assertTrue(saw["ping"])
        for step, sender in (("roster", ""), ("info", "ecouser.net"), ("items", "ecouser.net")):
            self.assertEqual(saw[step], {**NOT_HERE, "from": sender, "soon": True}, step)
        self.assertEqual(saw["second bind"]["condition"], "not-allowed")

    def check_robot(self, saw: dict[str, Any], jid: str) -> None:
        """A robot answers under its own address, and reports what it does."""
        self.assertTrue(saw["robot ping"])
        answer, event = saw["answer"], saw["without id"]
        self.assertEqual((answer["from"], answer["type"]), (jid, "set"))
        self.assertEqual(answer["ctl"], {"id": "72107787", "ret": "ok"})
        self.assertEqual((answer["children"], event["children"]), (BATTERY, BATTERY))
        self.assertEqual((event["from"], event["ctl"]), (jid, {"td": "BatteryInfo"}))
        self.assertEqual(saw["clean"]["ret"], "ok")
        self.assertEqual(saw["event"][0][0], "clean")
        self.assertEqual(saw["event"][0][1]["type"], "auto")
        self.assertEqual(saw["stop"]["ret"], "ok")

    def check_absent(self, saw: dict[str, Any]) -> None:
        """A robot that is away is said to be, at once, under the address that was asked."""
        for step in ("absent ping", "absent"):
            said = dict(saw[step])
            self.assertEqual(said.pop("from").lower(), ABSENT.lower())
            self.assertEqual(said, {**AWAY, "soon": True})
        self.assertEqual(saw["foreign"]["condition"], "remote-server-not-found")

    def test_stranger(self) -> None:
        """Where accounts are needed, a token that is none is refused by its proper name."""
        server = self.serve("--set", "identity.policy=strict")
        server.ports()
        add_account(server, "owner@example.org", "hunter2")
        saw = self.finished(self.client(server, only="login"))
        self.assertEqual(saw["login"], "session_start")
        saw = self.finished(self.client(server, only="login", token="guessed"))
        self.assertEqual((saw["login"], saw["refused"]), ("failed_all_auth", ["not-authorized"]))

    def test_verification(self) -> None:
        """Without our authority the client does not talk to us: verification is real."""
        server, other = self.serve(), self.other_authority()
        saw = self.finished(self.client(server, only="login", ca=str(other)))
        self.assertIn(saw["login"], ("ssl_invalid_chain", "disconnected"))
