"""The rules behind a bulkhead: what cannot be decided is a no, and refusals are told."""

from collections import Counter
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.repeats import Repeats, again
from bumper_tw.values import Principal


class Verdicts:
    """
    What the rules say, to the broker.

    @ivar counts: what was refused, by name.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, rules: MqttRules) -> None:
        self._rules, self._repeats = rules, Repeats(clock)
        self.counts: Counter[str] = Counter()

    @property
    def revision(self) -> int:
        """Rises whenever an answer may be another."""
        return self._rules.revision

    def may_publish(self, who: Principal, topic: str) -> bool:
        """Whether somebody may publish under a topic."""
        return self._allows(self._rules.may_publish, who, topic)

    def may_retain(self, who: Principal, topic: str) -> bool:
        """Whether what somebody publishes may be retained."""
        return self._allows(self._rules.may_retain, who, topic)

    def may_subscribe(self, who: Principal, topic_filter: str) -> bool:
        """Whether somebody may subscribe to a filter."""
        return self._allows(self._rules.may_subscribe, who, topic_filter)

    def may_hear(self, who: Principal, topic: str) -> bool:
        """Whether somebody may hear a topic now; a subscription outlives a right."""
        return self._allows(self._rules.may_hear, who, topic)

    def _allows(self, rule: Callable[[Principal, str], bool], who: Principal, topic: str) -> bool:
        try:
            return rule(who, topic)
        except Exception:  # noqa: BLE001 - a bulkhead of the architecture
            self._log.failure("deciding about {who} broke", who=who)
            return False

    def refuse(self, count: str, who: Principal, deed: str, topic: str) -> None:
        """Count a refusal; one line for each party and family of topics a minute."""
        self.counts[count] += 1
        family = "/".join(topic.split("/", 2)[:2])[:64]
        silent = self._repeats.say(f"{who} {deed} {family}")
        if silent is not None:
            self._log.warn(
                "{who} may not {deed} {family!r}{again}",
                who=who, deed=deed, family=family, again=again(silent),
            )  # fmt: skip

    def no_room(self, count: str, who: Principal, what: str, setting: str) -> None:
        """
        Count that a limit was reached; one line for each party and limit a minute.

        @param setting: which limit; empty when it is the disk that does not keep up.
        """
        self.counts[count] += 1
        silent = self._repeats.say(f"{who} {setting}")
        if silent is not None:
            why = f"{setting} can be raised" if setting else "the disk does not keep up"
            self._log.warn(
                "no room {what} of {who}; {why}{again}",
                what=what, who=who, why=why, again=again(silent),
            )  # fmt: skip
