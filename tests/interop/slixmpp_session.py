"""
What one user does with C{slixmpp}, a client that knows XMPP and nothing of robots.

Run by the Python the library is installed in.  Gets one argument, a JSON object: host, port, ca,
uid, token, robot (its full address), absent (the address of one that is not there); "only":
"login" ends after that.  Prints one JSON object on each line: "step" is what was done, "saw" what
the library's own objects said then.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID, ClientXMPP, Iq
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

OPTIONS: dict[str, Any] = json.loads(sys.argv[1])

#: Seconds anything may take.
PATIENCE = 30

CTL = "com:ctl"

#: What ends a login, and what comes with it that we want to know.
ENDS = ("session_start", "failed_all_auth", "disconnected", "ssl_invalid_chain")


def tell(step: str, saw: object = None) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps({"step": step, "saw": saw}) + "\n")
    sys.stdout.flush()


class Client(ClientXMPP):  # type: ignore[misc] # not in the environment of the type checker
    """
    One session.

    @ivar ctls: what robots said, attributes and children, the oldest first.
    @ivar errors: conditions of stream errors.
    @ivar failures: conditions of refused logins.
    """

    def __init__(self, resource: str, direct: bool = False, token: str | None = None) -> None:
        token = OPTIONS["token"] if token is None else token
        uid = OPTIONS["uid"]
        super().__init__(f"{uid}@ecouser.net/{resource}", f"0/{resource}/{token}")
        self.enable_direct_tls, self.enable_starttls = direct, not direct
        self.enable_plaintext = False
        self.ca_certs = OPTIONS["ca"]
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")
        self.ctls: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.waiting: dict[str, asyncio.Future[Iq]] = {}
        self.errors: list[str] = []
        self.failures: list[str] = []
        self.lost = asyncio.Event()
        self.add_event_handler("stream_error", lambda e: self.errors.append(e["condition"]))
        self.add_event_handler("failed_auth", lambda e: self.failures.append(e["condition"]))
        self.add_event_handler("disconnected", lambda _: self.lost.set())
        heard = MatchXPath(f"{{jabber:client}}iq/{{{CTL}}}query/{{{CTL}}}ctl")
        self.register_handler(Callback("ctl", heard, self._hear))
        self.register_handler(Callback("answer", MatchXPath("{jabber:client}iq"), self._answered))

    def _hear(self, iq: Iq) -> None:
        ctl = iq.xml[0][0]
        children = [[child.tag.partition("}")[2], dict(child.attrib)] for child in ctl]
        said = {"from": iq.xml.get("from"), "type": iq["type"], "children": children}
        self.ctls.put_nowait({**said, "ctl": dict(ctl.attrib)})

    def _answered(self, iq: Iq) -> None:
        if iq["type"] in {"result", "error"} and iq["id"] in self.waiting:
            self.waiting.pop(iq["id"]).set_result(iq)

    async def answer(self, iq: Iq) -> None:
        """
        Ask a robot, and wait for the answer.

        The library folds addresses before it sends them, and then waits for exactly these
        letters; robots answer under their own, which are capitals.
        """
        self.waiting[iq["id"]] = asyncio.get_running_loop().create_future()
        answer = self.waiting[iq["id"]]
        self.send(iq)
        async with asyncio.timeout(PATIENCE):
            heard = await answer
        if heard["type"] == "error":
            raise IqError(heard)

    async def enter(self) -> str:
        """Log in; the name of the event that came of it."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()

        def end(name: str) -> Callable[[Any], None]:
            return lambda _: None if ended.done() else ended.set_result(name)

        for name in ENDS:
            self.add_event_handler(name, end(name))
        self.connect(OPTIONS["host"], OPTIONS["port"])
        async with asyncio.timeout(PATIENCE):
            return await ended

    async def said(self, **attributes: str) -> dict[str, Any]:
        """The next C{ctl} with these attributes."""
        async with asyncio.timeout(PATIENCE):
            while True:
                heard = await self.ctls.get()
                if attributes.items() <= heard["ctl"].items():
                    return heard

    async def ask(self, to: str, name: str, ctl_id: str, *children: Element) -> None:
        """Send a command, and wait until it is acknowledged."""
        iq = self.make_iq_set(ito=JID(to))
        asked = SubElement(SubElement(iq.xml, f"{{{CTL}}}query"), f"{{{CTL}}}ctl", td=name)
        if ctl_id:
            asked.set("id", ctl_id)
        asked.extend(children)
        await self.answer(iq)


async def refused(asking: Awaitable[object]) -> dict[str, Any]:
    """How something was refused, and after how many seconds."""
    began = monotonic()
    try:
        await asking
    except IqError as error:
        said = error.iq["error"]
        fields = {name: said[name] for name in ("condition", "type", "code")}
        return {**fields, "from": str(error.iq["from"]), "soon": monotonic() - began < 1}
    return {}


async def ping(client: Client, to: str) -> bool:
    """Ask somebody whether he is alive; only C{True}, when he is."""
    iq = client.make_iq_get(ito=JID(to))
    SubElement(iq.xml, "{urn:xmpp:ping}ping")
    await client.answer(iq)
    return True


async def services(client: Client) -> None:
    """What the server itself answers."""
    await client.plugin["xep_0199"].send_ping(JID("ecouser.net"), timeout=PATIENCE)
    tell("ping", True)
    tell("roster", await refused(client.get_roster()))
    tell("info", await refused(client.plugin["xep_0030"].get_info(jid="ecouser.net")))
    tell("items", await refused(client.plugin["xep_0030"].get_items(jid="ecouser.net")))
    rebind = client.make_iq_set(ito=None)
    SubElement(rebind.xml, "{urn:ietf:params:xml:ns:xmpp-bind}bind")
    tell("second bind", await refused(rebind.send()))


async def converse(client: Client) -> None:
    """What the robot says."""
    robot = OPTIONS["robot"]
    tell("robot ping", await ping(client, robot))
    await client.ask(robot, "GetBatteryInfo", "72107787")
    tell("answer", await client.said(id="72107787"))
    await client.ask(robot.lower(), "GetBatteryInfo", "")
    tell("without id", await client.said(td="BatteryInfo"))
    await client.ask(robot, "Clean", "72107788", Element(f"{{{CTL}}}clean", type="auto"))
    tell("clean", (await client.said(id="72107788"))["ctl"])
    tell("event", (await client.said(td="CleanReport"))["children"])
    stop = Element(f"{{{CTL}}}clean", type="stop")
    await client.ask(robot, "Clean", "72107789", stop)
    tell("stop", (await client.said(id="72107789"))["ctl"])


async def absent(client: Client) -> None:
    """What a robot that is away does not say."""
    away = OPTIONS["absent"]
    tell("absent ping", await refused(ping(client, away)))
    tell("absent", await refused(client.ask(away, "GetBatteryInfo", "1")))
    stranger = "ann@example.org/x"
    tell("foreign", await refused(ping(client, stranger)))


async def conflict(older: Client, resource: str) -> None:
    """The same address once more, over TLS from its first byte."""
    newer = Client(resource, direct=True)
    tell("again", await newer.enter())
    async with asyncio.timeout(PATIENCE):
        await older.lost.wait()
    tell("conflict", older.errors)
    tell("again ping", await ping(newer, "ecouser.net"))
    await newer.disconnect()
    tell("left", newer.errors)


async def main() -> None:
    """Everything, one after the other."""
    client = Client("slix1")
    tell("login", await client.enter())
    tell("refused", client.failures)
    if OPTIONS.get("only") == "login":
        return
    tell("jid", str(client.boundjid))
    await services(client)
    await converse(client)
    await absent(client)
    await conflict(client, "slix1")
    tell("done")


asyncio.run(main())
