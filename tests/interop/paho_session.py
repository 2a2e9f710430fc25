"""
Clients made with C{paho-mqtt}, which do what they are told.

Run by the Python the library is installed in.  L{tests.interop.mqtt_talk} says what comes on
standard input and what goes to standard output.
"""

import json
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Condition, Thread
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

#: Seconds anything may take.
PATIENCE = 30.0

#: Seconds between two looks of the library at whether a ping is due.
GLANCE = 0.2

#: The library has the reasons of MQTT 5 for all versions; what 3.1.1 says (3.2.2.3).
CODES = {132: 1, 133: 2, 136: 3, 134: 4, 135: 5}

LEVELS = {
    3: MQTTProtocolVersion.MQTTv31,
    4: MQTTProtocolVersion.MQTTv311,
    5: MQTTProtocolVersion.MQTTv5,
}


class Peer:
    """One client, and everything that happened to it."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=asked["id"],
            protocol=LEVELS[asked["level"]],
            reconnect_on_failure=False,
            # MQTT 5 has another word for it, and a session of it is never wanted.
            clean_session=asked["clean"] if asked["level"] < 5 else None,
        )
        if asked["will"]:
            self._client.will_set(**asked["will"])
        self._present = False
        self._connected: SimpleQueue[int] = SimpleQueue()
        self._granted: SimpleQueue[list[int]] = SimpleQueue()
        self._removed: SimpleQueue[None] = SimpleQueue()
        self._heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._packets: list[str] = []
        self._news = Condition()
        self._listen()

    def _listen(self) -> None:
        def on_connect(_: Client, __: Any, flags: Any, code: Any, ____: Any) -> None:
            self._present = flags.session_present
            self._connected.put(CODES.get(code.value, code.value))

        def on_subscribe(_: Client, __: Any, ___: int, codes: list[Any], ____: Any) -> None:
            self._granted.put([code.value for code in codes])

        def on_message(_: Client, __: Any, message: MQTTMessage) -> None:
            self._heard.put(told(message))

        def on_log(_: Client, __: Any, ___: int, text: str) -> None:
            self._note(text)

        self._client.on_connect = on_connect
        self._client.on_subscribe = on_subscribe
        self._client.on_unsubscribe = lambda *_: self._removed.put(None)
        self._client.on_message = on_message
        self._client.on_disconnect = lambda *_: self._ended.put(None)
        self._client.on_log = on_log

    def _note(self, text: str) -> None:
        """Keep the kind of each packet; the library has it in the log alone."""
        deed, _, rest = text.partition(" ")
        if deed in {"Sending", "Received"}:
            with self._news:
                self._packets.append(rest.partition(" ")[0])
                self._news.notify_all()

    def connect(self, asked: dict[str, Any]) -> int:
        """Log in."""
        if asked["user"] is not None:
            self._client.username_pw_set(asked["user"], asked["password"])
        if asked.get("ca"):
            self._client.tls_set(ca_certs=asked["ca"])
        self._client.connect(asked["host"], asked["port"], keepalive=asked["keep_alive"])
        Thread(target=self._client.loop_forever, args=(GLANCE,), daemon=True).start()
        return self._connected.get(timeout=PATIENCE)

    def present(self, _: dict[str, Any]) -> bool:
        """Whether the CONNACK said so."""
        return self._present

    def subscribe(self, asked: dict[str, Any]) -> list[int]:
        """What each filter is granted."""
        self._client.subscribe([(wanted, asked["qos"]) for wanted in asked["filters"]])
        return self._granted.get(timeout=PATIENCE)

    def unsubscribe(self, asked: dict[str, Any]) -> None:
        """Take filters back."""
        self._client.unsubscribe(asked["filters"])
        self._removed.get(timeout=PATIENCE)

    def publish(self, asked: dict[str, Any]) -> bool:
        """Whether all that belongs to the QoS has happened."""
        sent = self._client.publish(
            asked["topic"], asked["payload"], asked["qos"], asked["retain"]
        )
        sent.wait_for_publish(PATIENCE)
        done: bool = sent.is_published()
        return done

    def receive(self, _: dict[str, Any]) -> dict[str, Any]:
        """The next message."""
        return self._heard.get(timeout=PATIENCE)

    def packets(self, asked: dict[str, Any]) -> list[str]:
        """All packets, once there were so many of a kind."""
        kind, count = asked["kind"], asked["count"]
        with self._news:
            if not self._news.wait_for(lambda: self._packets.count(kind) >= count, PATIENCE):
                raise TimeoutError(f"no {count} {kind}: {self._packets}")
            return list(self._packets)

    def disconnect(self, _: dict[str, Any]) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._ended.get(timeout=PATIENCE)

    def ended(self, _: dict[str, Any]) -> None:
        """Wait until somebody else ends the connection."""
        self._ended.get(timeout=PATIENCE)


def told(message: MQTTMessage) -> dict[str, Any]:
    """A message as the test gets it."""
    return {
        "topic": message.topic,
        "payload": message.payload.decode(),
        "qos": message.qos,
        "retain": message.retain,
    }


DEEDS: dict[str, Callable[[Peer, dict[str, Any]], Any]] = {
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


def main() -> None:
    """Do what each line says."""
    peers: dict[str, Peer] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "connect":
            peers[asked["who"]] = Peer(asked)
        saw = DEEDS[asked["do"]](peers[asked["who"]], asked)
        sys.stdout.write(json.dumps({"step": asked["step"], "saw": saw}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
