"""What the connection asks of a dialect, JSON or XML."""

# ruff: noqa: N805 the methods of a zope interface have no self

from __future__ import annotations

from attrs import frozen
from zope.interface import Interface

from bumper_tw.simulator.happenings import Happening


@frozen
class Event:
    """One attribute report: the name in the topic and its payload."""

    name: str
    payload: bytes


class Unfit(Exception):
    """The server sent a payload no server may send to this robot; the text says why."""


class IDialect(Interface):
    """The words of one kind of robot."""

    def greetings() -> list[str]:
        """
        Name the events sent after the subscriptions, in order.

        @return: names for L{report}
        """

    def report(name: str) -> Event:
        """Put the present value into an event, by its name on the wire."""

    def events(happening: Happening) -> list[Event]:
        """Put what happened into words; often none."""

    def answer(command: str, letter: str, payload: bytes) -> bytes | None:
        """
        Obey a request.

        @param letter: format of the request topic
        @return: L{None} for silence
        @raise Unfit: the payload breaks the protocol
        """
