"""One message on its way to whoever hears it."""

from typing import Protocol

from attrs import define, field

from bumper_tw.core.mqtt_window import Owed
from bumper_tw.kept import Change
from bumper_tw.values import Message
from bumper_tw.wire.mqtt_codec import publish_bytes


class Creditor(Protocol):
    """Somebody who is owed a publication."""

    def send(self, owed: Owed) -> None:
        """It may go out."""

    def drop(self, owed: Owed) -> None:
        """It could not be kept, and whoever published it was not told that it was."""


@define(eq=False)
class Publication:
    """
    What is done about one message.

    @ivar number: rising.
    @ivar changes: what has to be on disk before the message is acknowledged.
    @ivar owing: who is owed it once that is so.
    """

    message: Message
    number: int
    changes: list[Change] = field(factory=list)
    owing: list[tuple[Creditor, Owed]] = field(factory=list)
    _frame: bytes = b""

    @property
    def frame(self) -> bytes:
        """The message as a QoS 0 packet, encoded once for everybody."""
        if not self._frame:
            message = self.message
            self._frame = publish_bytes(message.topic, message.payload, retain=message.retain)
        return self._frame
