"""What a command in JSON becomes for a robot that speaks XML: the records of a translation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from bumper_tw.dialect import lenient
from bumper_tw.dialect.controls import pieces
from bumper_tw.dialect.markup import Element
from bumper_tw.errors import BadRequest
from bumper_tw.values import Company

#: What a robot said to each question; C{None} where it refused, or was silent.
Answers = Sequence[Element | None]

#: Makes the data of one JSON answer; raises L{ValueError} when what it needs is not there.
Reader = Callable[[Answers], Any]


@frozen
class Question:
    """One command in XML."""

    name: str
    body: bytes


@frozen
class Phrase:
    """
    The questions that together say what one command in JSON does.

    @ivar read: makes the data of the answer; C{None} of what is only done.
    @ivar needs_first: whether there is no answer without that to the first question; otherwise
        any of them will do.
    @ivar codes: what JSON robots call some refusals, by C{errno}.
    """

    questions: tuple[Question, ...]
    read: Reader
    needs_first: bool = False
    codes: Mapping[str, int] = field(factory=dict)


@frozen
class Situation:
    """
    What a translation depends on besides the command.

    @ivar model: the robot's class, and
    @ivar company: how it is reached.
    @ivar now: seconds since the epoch.
    @ivar speed: how strong the robot is set, as it said itself; it is told with each job.
    """

    model: str = ""
    now: float = 0.0
    speed: str = "standard"
    company: Company = Company.MQTT


#: Translates one command: what is in its C{body.data}, and the situation.
Translator = Callable[[Any, Situation], Phrase]


def ask(command: str, /, **attributes: object) -> Question:
    """A question with its arguments."""
    return Question(command, written(Element("ctl", texts(attributes))))


def ask_inside(command: str, child: str, /, **attributes: object) -> Question:
    """A question with its arguments in a child element, as orders to move have them."""
    return Question(command, written(Element("ctl", {}, [Element(child, texts(attributes))])))


def texts(attributes: Mapping[str, object]) -> dict[str, str]:
    """Attributes that are there, as they are written."""
    return {name: str(value) for name, value in attributes.items() if value is not None}


def written(element: Element) -> bytes:
    """An element on the wire."""
    return "".join(pieces(element)).encode()


def query(question: Question, read: Callable[[Element], Any]) -> Translator:
    """How to translate what has no arguments."""
    phrase = asking(question, read)
    return lambda _, __: phrase


def asking(question: Question, read: Callable[[Element], Any]) -> Phrase:
    """One question whose answer tells all."""
    return Phrase((question,), lambda said: read(present(said[0])))


def order(question: Question, codes: Mapping[str, int] | None = None) -> Phrase:
    """One question whose answer is that it is done."""
    return Phrase((question,), lambda _: None, codes=codes or {})


def present(element: Element | None) -> Element:
    """
    An answer that is needed.

    @raise ValueError: there is none.
    """
    if element is None:
        raise ValueError("an answer is missing")
    return element


def inner(element: Element, name: str) -> Element:
    """
    A part of an answer that is needed.

    @raise ValueError: it is not there.
    """
    return present(element.child(name))


def whole(element: Element, *names: str) -> int:
    """
    A number in an answer, under the first of these names that has one.

    @raise ValueError: there is none.
    """
    value = lenient.natural(element.get(*names))
    if value is None:
        raise ValueError(f"{names[0]} is no number")
    return value


def fields(data: object) -> dict[str, Any]:
    """The arguments of a command; none are an empty object."""
    return lenient.fields(data)


def argument(data: object, name: str) -> int:
    """
    A number that a command needs.

    @raise BadRequest: it is not there.
    """
    value = lenient.number(fields(data).get(name))
    if value is None:
        raise BadRequest(f"{name} is missing, or no number")
    return value


def word(data: object, name: str) -> str:
    """
    A text or a number, spelt, that a command needs.

    @raise BadRequest: it is not there.
    """
    value = lenient.text(fields(data).get(name), limit=4000)
    if not value:
        raise BadRequest(f"{name} is missing")
    return value


def chosen(data: object, name: str, table: Mapping[Any, str]) -> str:
    """
    What one of a few values is in XML.

    @raise BadRequest: it is none of these.
    """
    value = fields(data).get(name)
    if isinstance(value, str | int) and value in table:
        return table[value]
    raise BadRequest(f"{name} is none of {', '.join(map(str, table))}")
