"""
Clients made with C{gmqtt}, which do what they are told.

Run by the Python the library is installed in.  L{tests.interop.mqtt_talk} says what comes on
standard input and what goes to standard output.
"""

import asyncio
import json
import logging
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from gmqtt import Client, Message, Subscription
from gmqtt.mqtt.handler import MQTTConnectError
from gmqtt.storage import PersistentStorage

#: Seconds anything may take.
PATIENCE = 30.0

#: What MQTT 5 says for a version that is not spoken, as MQTT 3.1.1 says it.
CODES = {132: 1}


class Peer:
    """One client, and everything that happened to it."""

    def __init__(self, asked: dict[str, Any]) -> None:
        will = asked["will"]
        self._unsettled = PersistentStorage()
        self._client = Client(
            asked["id"],
            clean_session=asked["clean"],
            will_message=Message(**will) if will else None,
            persistent_storage=self._unsettled,
        )
        self._client.set_config({"reconnect_retries": 0, "reconnect_delay": 0})
        self._present = False
        self._granted: asyncio.Queue[list[int]] = asyncio.Queue()
        self._removed: asyncio.Queue[None] = asyncio.Queue()
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._listen()

    def _listen(self) -> None:
        def on_connect(_: Client, flags: int, __: int, ___: object) -> None:
            self._present = bool(flags)

        def on_subscribe(_: Client, __: int, codes: Any, ___: object) -> None:
            self._granted.put_nowait(list(codes))

        def on_message(
            _: Client, topic: str, payload: bytes, qos: int, properties: dict[str, Any]
        ) -> int:
            told = {"topic": topic, "payload": payload.decode(), "qos": qos}
            self._heard.put_nowait({**told, "retain": bool(properties["retain"])})
            return 0

        self._client.on_connect = on_connect
        self._client.on_subscribe = on_subscribe
        self._client.on_unsubscribe = lambda *_: self._removed.put_nowait(None)
        self._client.on_message = on_message
        self._client.on_disconnect = lambda *_, **__: self._ended.set()

    async def connect(self, asked: dict[str, Any]) -> int:
        """Log in."""
        if asked["user"] is not None:
            self._client.set_auth_credentials(asked["user"], asked["password"])
        tls = ssl.create_default_context(cafile=asked["ca"]) if asked.get("ca") else False
        where = asked["host"], asked["port"], tls, asked["keep_alive"], asked["level"]
        try:
            await self._client.connect(*where)
        except MQTTConnectError as refused:
            # The number is in the text alone: "code 4 (...)".
            code = int(str(refused).split()[1])
            return CODES.get(code, code)
        return 0

    async def present(self, _: dict[str, Any]) -> bool:
        """Whether the CONNACK said so."""
        return self._present

    async def subscribe(self, asked: dict[str, Any]) -> list[int]:
        """What each filter is granted."""
        self._client.subscribe([Subscription(name, asked["qos"]) for name in asked["filters"]])
        return await self._granted.get()

    async def unsubscribe(self, asked: dict[str, Any]) -> None:
        """Take filters back."""
        self._client.unsubscribe(asked["filters"])
        await self._removed.get()

    async def publish(self, asked: dict[str, Any]) -> bool:
        """Whether all that belongs to the QoS has happened: then nothing is kept for it."""
        self._client.publish(asked["topic"], asked["payload"], asked["qos"], asked["retain"])
        await self._unsettled.wait_empty()
        return True

    async def receive(self, _: dict[str, Any]) -> dict[str, Any]:
        """The next message."""
        return await self._heard.get()

    async def disconnect(self, _: dict[str, Any]) -> None:
        """Say goodbye."""
        await self._client.disconnect()

    async def ended(self, _: dict[str, Any]) -> None:
        """Wait until somebody else ends the connection."""
        await self._ended.wait()


DEEDS: dict[str, Callable[[Peer, dict[str, Any]], Awaitable[Any]]] = {
    "connect": Peer.connect,
    "present": Peer.present,
    "subscribe": Peer.subscribe,
    "unsubscribe": Peer.unsubscribe,
    "publish": Peer.publish,
    "receive": Peer.receive,
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
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(main())
