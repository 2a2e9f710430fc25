"""Hypothesis strategies for MQTT, shared by the tests of this package."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)

#: What MQTT allows in a text: no NUL, no surrogates.
characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
texts = st.text(characters, max_size=30)
topics = st.text(
    st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=40
)
filters = st.text(characters, min_size=1, max_size=40)
packet_ids = st.integers(1, 0xFFFF)
qos = st.integers(0, 2)

wills = st.builds(Will, topics, st.binary(max_size=30), qos, st.booleans())


@st.composite
def connects(draw: st.DrawFn) -> Connect:
    """A CONNECT of either version; a password never comes without a user name."""
    name, level = draw(st.sampled_from([("MQTT", 4), ("MQIsdp", 3)]))
    username = draw(st.none() | texts)
    return Connect(
        name,
        level,
        draw(st.booleans()),
        draw(st.integers(0, 0xFFFF)),
        draw(texts),
        username,
        draw(st.none() | st.binary(max_size=30)) if username is not None else None,
        draw(st.none() | wills),
    )


publishes = st.builds(Publish, topics, st.binary(max_size=200), st.just(0), st.booleans()) | (
    st.builds(
        Publish,
        topics,
        st.binary(max_size=200),
        st.integers(1, 2),
        st.booleans(),
        st.booleans(),
        packet_ids,
    )
)

packets: st.SearchStrategy[Packet] = st.one_of(
    connects(),
    st.builds(ConnAck, st.sampled_from(list(ConnectCode))),
    st.builds(ConnAck, st.just(ConnectCode.ACCEPTED), st.booleans()),
    publishes,
    *(st.builds(ack, packet_ids) for ack in (PubAck, PubRec, PubRel, PubComp, UnsubAck)),
    st.builds(
        Subscribe,
        packet_ids,
        st.lists(st.tuples(filters, qos), min_size=1, max_size=4).map(tuple),
    ),
    st.builds(
        SubAck,
        packet_ids,
        st.lists(st.sampled_from([0, 1, 2, 0x80]), min_size=1, max_size=4).map(tuple),
    ),
    st.builds(Unsubscribe, packet_ids, st.lists(filters, min_size=1, max_size=4).map(tuple)),
    st.sampled_from([PingReq(), PingResp(), Disconnect()]),
)

#: Where to cut a stream; taken modulo its length.
cuts = st.lists(st.integers(min_value=0), max_size=20)


def cut(stream: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut a stream into pieces, some of them empty."""
    edges = sorted([0, len(stream), *(place % (len(stream) + 1) for place in places)])
    return [stream[start:end] for start, end in pairwise(edges)]
