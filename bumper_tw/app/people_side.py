"""What the web shows people about themselves, put together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen

import bumper_tw.web
from bumper_tw.app.belongings import Belongings
from bumper_tw.app.settings import Settings
from bumper_tw.core.accounts import Accounts
from bumper_tw.interfaces import IDeviceRegistry, ITelemetry
from bumper_tw.web import agreements, api, message_texts
from bumper_tw.web.agreements import AgreementRoutes
from bumper_tw.web.consumables import ConsumableRoutes
from bumper_tw.web.guard import Guard
from bumper_tw.web.log_pictures import LogPictures
from bumper_tw.web.messages import MessageRoutes, Readers
from bumper_tw.web.persons import Persons
from bumper_tw.web.profile import MeRoutes, ProfileRoutes, Wrapping
from bumper_tw.web.routes import Route
from bumper_tw.web.user_data import UserDataRoutes

#: The files of the web.
DATA = Path(bumper_tw.web.__file__).parent / "data"


class Facts(Protocol):
    """What is needed of the middle of the server."""

    @property
    def registry(self) -> IDeviceRegistry: ...
    @property
    def telemetry(self) -> ITelemetry: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def belongings(self) -> Belongings: ...


@frozen
class PeopleSide:
    """
    Everything of that kind.

    @ivar persons: who asks.
    @ivar messages: what happened; other routes ask it, too.
    @ivar pictures: of cleaning jobs; so does who shows these.
    @ivar parts: all that has routes.
    """

    persons: Persons
    messages: MessageRoutes
    pictures: LogPictures
    parts: tuple[Any, ...]

    def routes(self) -> Iterator[Route]:
        """All routes."""
        for part in self.parts:
            yield from part.routes()


def people_side(reactor: Any, settings: Settings, facts: Facts, guard: Guard) -> PeopleSide:
    """
    Put it together.

    @raise StartError: a file of the owner cannot be read.
    """
    own, wrapping = facts.belongings, Wrapping(reactor)
    people, accounts = own.people, facts.accounts
    persons = Persons(accounts, people, guard)
    messages, pictures = message_routes(facts, persons), LogPictures(own.files)
    consent = agreements.load(DATA, settings.storage.directory)
    parts = (
        messages,
        pictures,
        ProfileRoutes(people, persons, wrapping),
        MeRoutes(accounts, people, persons, guard.member, api.failure),
        AgreementRoutes(consent, people, persons, wrapping),
        UserDataRoutes(people, persons.portal, lambda uid: home_name(accounts, uid)),
        ConsumableRoutes(facts.telemetry, own.permits, persons.portal),
    )
    return PeopleSide(persons, messages, pictures, parts)


def message_routes(facts: Facts, persons: Persons) -> MessageRoutes:
    """The message centre."""
    ownership = facts.belongings.ownership

    def offer(did: str, uid: str) -> str:
        share = ownership.share(did, uid)
        return share.state if share else ""

    return MessageRoutes(
        facts.belongings.messages,
        facts.registry,
        facts.belongings.permits,
        Readers(persons.portal, persons.language, offer),
        message_texts.load(DATA / "error_texts.json"),
    )


def home_name(accounts: Accounts, uid: str) -> str:
    """What the first home of a user is called."""
    return next((home.name for home in accounts.homes(uid)), "My Home")
