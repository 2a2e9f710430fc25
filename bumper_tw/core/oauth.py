"""The tokens of the newer apps: pairs of JWTs and control tickets (http-auth.md 2.5 to 2.8)."""

import json

from attrs import field, frozen
from twisted.internet.defer import Deferred

from bumper_tw.core.sessions import Sessions
from bumper_tw.core.tickets import Ticket, Tickets
from bumper_tw.core.tokens import SST_PREFIX, Claims, JwtKind, Signer
from bumper_tw.errors import BadRequest, LoginRefused
from bumper_tw.values import Token

#: Seconds.  The original gave 15 days; shorter ones make apps that sleep log in again.
ACCESS_LIFE = 15 * 86400.0

#: The longest life of a control ticket, in seconds; the app asks for ten minutes.
CONTROL_LIFE = 86400

#: As much of a list of permissions is copied into a ticket, in bytes of JSON.
MAX_ACL = 8192


@frozen
class Pair:
    """
    What an authorisation code is worth.

    @ivar expires_at: of C{access}, in seconds since the epoch.
    """

    uid: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: int


class OAuth:
    """
    Makes pairs and reads them.

    Every token belongs to the session of the login that led to it: to log out, or to be
    removed, ends what cannot be taken back otherwise.
    """

    def __init__(self, sessions: Sessions, signer: Signer, codes: Tickets) -> None:
        self._sessions, self._signer, self._codes = sessions, signer, codes

    def code(self, session: Token) -> str:
        """An authorisation code for a session."""
        return self._codes.issue(session.uid, session.digest)

    def session(self, ticket: Ticket) -> Token:
        """
        The session a ticket belongs to.

        @raise LoginRefused: it is over.
        """
        return self._alive(ticket.uid, ticket.session)

    def holder(self, text: str) -> Token:
        """
        The session that an access JWT belongs to.

        @raise LoginRefused: the JWT is not ours or expired, or its session is over.
        """
        claims = self._signer.read(JwtKind.ACCESS, text)
        return self._alive(claims.uid, claims.session)

    def by_code(self, code: str) -> Deferred[Pair]:
        """A pair for an authorisation code; fails with L{LoginRefused}."""
        return Deferred.fromCoroutine(self._by_code(code))

    def by_refresh(self, refresh: str) -> Deferred[Pair]:
        """A pair for a refresh token; fails with L{LoginRefused}."""
        return Deferred.fromCoroutine(self._by_refresh(refresh))

    def control(self, acl: list[object], subject: str, session: str, seconds: int) -> str:
        """
        A control ticket.

        @param session: the digest of the login it hangs on; empty when, at home, somebody
            without a login asked.
        @param seconds: the life that is asked for; what makes no sense is brought into range.
        @raise BadRequest: the permissions fill a book.
        """
        if len(json.dumps(acl)) > MAX_ACL or len(subject) > 128:
            raise BadRequest("acl or sub is too long")
        life = max(1, min(seconds, CONTROL_LIFE))
        return self._signer.control(acl, subject, session, life)

    def subject(self, ticket: str) -> str:
        """
        Whose a control ticket is.

        @raise LoginRefused: it is not ours, or expired, or its login is over.
        """
        if not ticket.startswith(SST_PREFIX):
            raise LoginRefused("no control ticket")
        text = ticket.removeprefix(SST_PREFIX)
        claims = self._signer.verify(JwtKind.CONTROL, text)
        uid, session = str(claims.get("sub", "")), str(claims.get("s", ""))
        return self._alive(uid, session).uid if session else uid

    async def _by_code(self, code: str) -> Pair:
        return await self._pair(self.session(self._codes.read(code)), code)

    async def _by_refresh(self, refresh: str) -> Pair:
        claims = self._signer.read(JwtKind.REFRESH, refresh)
        return await self._pair(self._alive(claims.uid, claims.session), claims.code)

    async def _pair(self, session: Token, code: str) -> Pair:
        # Before the pair goes out: what it hangs on must live as long as it says.
        await self._sessions.renew(session)
        # An app that finds nothing under "r" puts "null" into its later calls (2.7).
        resource = session.client or session.uid[:8]
        claims = Claims(session.uid, session.digest, resource, code)
        access = min(ACCESS_LIFE, self._sessions.seconds / 2)
        return Pair(
            session.uid,
            self._signer.issue(JwtKind.ACCESS, claims, access),
            self._signer.issue(JwtKind.REFRESH, claims, self._sessions.seconds),
            self._signer.expiry(access),
        )

    def _alive(self, uid: str, key: str) -> Token:
        session = self._sessions.live(key)
        if session is None or session.uid != uid:
            raise LoginRefused("the login behind this token is over")
        return session
