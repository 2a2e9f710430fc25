"""
The fast lane: packets that can be passed on as they came.

A QoS 0 PUBLISH looks the same on its way in and on its way out.  Publishers repeat
themselves: the next packet mostly has the same length and topic, so its first bytes are
equal, and where they are equal it need not be taken apart again.  Such a I{run} is found in
one pass over the received bytes, is checked once, and goes out as one piece.
"""

from typing import Final, NamedTuple

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_decode import long_size

#: How a QoS 0 PUBLISH starts that is not to be retained.
PLAIN: Final = 0x30


class Run(NamedTuple):
    """
    Packets that begin alike, one behind the other.

    @ivar topic: not checked yet.
    @ivar end: where the next packet starts.
    @ivar packets: how many.
    """

    topic: bytes
    end: int
    packets: int


def cut_run(data: bytes | bytearray, at: int, max_size: int) -> Run | None:
    """
    Find the run that starts at C{at}.

    @param max_size: the largest remaining length.
    @return: C{None} if there is no whole and legal QoS 0 PUBLISH as we would write it:
        L{PacketBuffer <bumper_tw.wire.mqtt_codec.PacketBuffer>} knows what there is instead.
    """
    available = len(data)
    if available < at + 5 or data[at] != PLAIN:
        return None
    size, start = data[at + 1], at + 2
    if size > 127:
        size, start = _shortest(data, start, size & 127)
    end = start + size
    if not start or size < 3 or size > max_size or end > available:
        return None
    topic_at = start + 2
    topic_end = topic_at + (data[start] << 8 | data[start + 1])
    if topic_end > end:
        return None
    head, step, count = data[at:topic_end], end - at, 1
    while data.startswith(head, end) and end + step <= available:
        end += step
        count += 1
    return Run(bytes(data[topic_at:topic_end]), end, count)


def _shortest(data: bytes | bytearray, at: int, size: int) -> tuple[int, int]:
    """As L{long_size}, with 0 also for a length that is illegal or has bytes to spare."""
    try:
        size, start = long_size(data, at, size)
    except ProtocolViolation:
        return 0, 0
    return (size, start) if start and data[start - 1] else (0, 0)
