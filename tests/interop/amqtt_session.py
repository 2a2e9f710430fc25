"""
Clients made with C{amqtt}, which do what they are told.

Run by the Python the library is installed in.  L{tests.interop.mqtt_talk} says what comes on
standard input and what goes to standard output.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from amqtt.client import ClientContext, MQTTClient
from amqtt.errors import ConnectError
from amqtt.plugins.base import BasePlugin

#: Seconds anything may take.
PATIENCE = 30.0


class PacketDiary(BasePlugin[ClientContext]):  # type: ignore[misc]  # not in our environment
    """The kind of each packet, which the library tells its plug-ins."""

    def __init__(self, context: ClientContext) -> None:
        super().__init__(context)
        self.packets: list[str] = []
        self.present = False
        self.news = asyncio.Condition()

    async def on_mqtt_packet_sent(self, *, packet: object, session: object = None) -> None:
        """Called by the library."""
        await self._note(packet)

    async def on_mqtt_packet_received(self, *, packet: Any, session: object = None) -> None:
        """Called by the library."""
        if type(packet).__name__ == "ConnackPacket":
            # That is how they spell it.
            self.present = bool(packet.session_parent)
        await self._note(packet)

    async def _note(self, packet: object) -> None:
        async with self.news:
            self.packets.append(type(packet).__name__.removesuffix("Packet").upper())
            self.news.notify_all()


class Peer:
    """One client, and everything that happened to it."""

    def __init__(self, asked: dict[str, Any]) -> None:
        will = asked["will"]
        config = {
            **({"will": {"message": will.pop("payload"), **will}} if will else {}),
            "auto_reconnect": False,
            "keep_alive": asked["keep_alive"],
            # The library takes this off what it tells the server.
            "ping_delay": 0,
            "plugins": {"__main__.PacketDiary": {}},
        }
        self._client = MQTTClient(client_id=asked["id"], config=config)
        [diary] = self._client.plugins_manager.plugins
        assert isinstance(diary, PacketDiary)
        self._diary = diary
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listening: asyncio.Task[None] | None = None

    async def connect(self, asked: dict[str, Any]) -> int | None:
        """Log in."""
        scheme = "mqtts" if asked.get("ca") else "mqtt"
        login = f"{quote(asked['user'], '')}:{quote(asked['password'], '')}"
        url = f"{scheme}://{login}@{asked['host']}:{asked['port']}"
        try:
            code: int = await self._client.connect(url, asked["clean"], asked.get("ca"))
        except ConnectError as refused:
            why: int | None = refused.return_code
            return why
        self._listening = asyncio.create_task(self._listen())
        return code

    async def _listen(self) -> None:
        """Keep what comes; the library gives nothing when the connection has ended."""
        while (message := await self._client.deliver_message()) is not None:
            self._heard.put_nowait(told(message))

    async def present(self, _: dict[str, Any]) -> bool:
        """Whether the CONNACK said so."""
        return self._diary.present

    async def subscribe(self, asked: dict[str, Any]) -> list[int]:
        """What each filter is granted."""
        wanted = [(name, asked["qos"]) for name in asked["filters"]]
        codes: list[int] = await self._client.subscribe(wanted)
        return codes

    async def unsubscribe(self, asked: dict[str, Any]) -> None:
        """Take filters back."""
        await self._client.unsubscribe(asked["filters"])

    async def publish(self, asked: dict[str, Any]) -> bool:
        """Whether all that belongs to the QoS has happened: the library waits for it."""
        payload = asked["payload"].encode()
        await self._client.publish(asked["topic"], payload, asked["qos"], asked["retain"])
        return True

    async def receive(self, _: dict[str, Any]) -> dict[str, Any]:
        """The next message."""
        return await self._heard.get()

    async def packets(self, asked: dict[str, Any]) -> list[str]:
        """All packets, once there were so many of a kind."""
        seen = self._diary.packets
        async with self._diary.news:
            await self._diary.news.wait_for(lambda: seen.count(asked["kind"]) >= asked["count"])
        return list(seen)

    async def disconnect(self, _: dict[str, Any]) -> None:
        """Say goodbye."""
        await self._client.disconnect()
        await self.ended(_)

    async def ended(self, _: dict[str, Any]) -> None:
        """Wait until the connection has ended."""
        assert self._listening is not None
        await self._listening


def told(message: Any) -> dict[str, Any]:
    """A message as the test gets it."""
    return {
        "topic": message.topic,
        "payload": message.data.decode(),
        "qos": message.qos,
        "retain": message.retain,
    }


DEEDS: dict[str, Callable[[Peer, dict[str, Any]], Awaitable[Any]]] = {
    "connect": Peer.connect,
    "present": Peer.present,
    "subscribe": Peer.subscribe,
    "unsubscribe": Peer.unsubscribe,
    "publish": Peer.publish,
    "receive": Peer.receive,
    "packets": Peer.packets,
    "disconnect": Peer.disconnect,
    "ended": Peer.ended,
}


async def main() -> None:
    """Do what each line says."""
    peers: dict[str, Peer] = {}
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        if asked["do"] == "connect":
            peers[asked["who"]] = Peer(asked)
        async with asyncio.timeout(PATIENCE):
            saw = await DEEDS[asked["do"]](peers[asked["who"]], asked)
        sys.stdout.write(json.dumps({"step": asked["step"], "saw": saw}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    # A refused login is what some tests want; it is no warning then.
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main())
