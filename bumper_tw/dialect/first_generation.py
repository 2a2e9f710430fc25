"""In what robots of the first generation differ (mqtt.md 8.3, xmpp.md 13.2), by their classes."""

from bumper_tw.values import Company

#: The line N79: what they call C{val} of a consumable is percent, whatever they call C{total};
#: it is reset, and jobs are listed, by other names than those of everybody else.
N79 = frozenset({"126", "155", "165"})

#: OZMO 930, the one robot behind XMPP of which it is known that it can pause; the older ones go
#: by the type of a job, and not by its C{act}.
PAUSING = frozenset({"115"})


def is_n79(model: str) -> bool:
    """Whether a class belongs to the line N79."""
    return model in N79


def knows_act(model: str, company: Company) -> bool:
    """Whether a robot can be told to pause, other than by a job of the type C{stop}."""
    return company is Company.MQTT or model in PAUSING
