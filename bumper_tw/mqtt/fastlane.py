"""
How most publications get through: as packets, without being taken apart.

Three things make it fast, and C{benchmarks/mqtt_tricks.py} shows what each is worth:

    - packets that begin alike are found in one pass and handled together
      (L{bumper_tw.wire.mqtt_runs});
    - who hears a topic, and whether this client may speak there, is remembered until a
      subscription or a right changes (C{session.lane});
    - a packet goes out as it came in, which at QoS 0 is allowed wherever nobody has to look
      inside: our own code, a retained message, and a robot's answer do have to.

Twisted's transports collect what is written to them, and L{bumper_tw.front.outbox.Wave} sees to
it that each sends once for each piece of received bytes, and at once.

Whatever is not that simple takes the ordinary way, behind what was passed on before it.
"""

from bumper_tw.broker_interfaces import IMqttSession
from bumper_tw.wire.mqtt_connection import MqttConnection

#: For how many topics of one client we remember where they go.
REMEMBERED = 1000


def pass_on(data: bytes, connection: MqttConnection, session: IMqttSession) -> None:
    """
    Take bytes from a client, and pass on the publications at their front.

    @param connection: keeps the rest.
    """
    lanes = session.current_lanes()
    for topic, packets, count in connection.runs(data):
        if topic not in lanes:
            if len(lanes) >= REMEMBERED:
                lanes.clear()
            lanes[topic] = session.lane(topic)
        lane = lanes[topic]
        if lane is None:
            return
        lane.pass_on(packets, count)
