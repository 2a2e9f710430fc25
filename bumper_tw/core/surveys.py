"""One robot being asked for its map."""

from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from bumper_tw.core.maps import MapBook, RobotMap, Shapes
from bumper_tw.dialect import maps, translation
from bumper_tw.dialect.maps_rooms import (
    NO_MOP,
    ROOMS,
    WALLS,
    Members,
    Room,
    members,
    members_v2,
    room,
    shape,
)
from bumper_tw.errors import BadRequest, CommandFailed, CommandTimedOut
from bumper_tw.values import Command, Device, PayloadKind, Reply

#: Questions at a time: robots are asked eight, and somebody may want to stop one.
AT_ONCE = 4
#: After so many questions without an answer no more are put.
SILENT = 3
#: Points of a path in one answer, and as many are asked for in all.
BATCH, LONGEST = 200, 20_000

#: Has an XML robot tell its path (mqtt.md 8.3).
START_TRACE = "GetTrM"

#: Puts a question to a robot.
Send = Callable[[Command], Deferred[Reply]]


class Silence(Exception):
    """A robot does not answer any more."""


class Survey:
    """One robot being asked, from the map as a whole to its details."""

    def __init__(self, device: Device, book: MapBook, send: Send, seconds: float) -> None:
        """
        @param send: asks robots of both kinds in the names of JSON; fails soon.
        @param seconds: what time it is, since the epoch.
        """
        self._device, self._did, self._book = device, device.id.did, book
        self._send, self._seconds = send, seconds
        self._silent = 0

    @property
    def is_xml(self) -> bool:
        """Whether the robot tells its path only when it is asked to."""
        return self._device.kind is PayloadKind.XML

    @property
    def _map(self) -> RobotMap:
        return self._book.of(self._did)

    async def all(self) -> None:
        """
        Everything.

        @raise Silence: the robot does not answer.
        """
        mid = maps.active_map(await self.ask("getCachedMapInfo", {}))
        await self._pieces(mid)
        mid = self._map.grid.mid or mid
        await self._rooms(mid)
        self._keep("walls", await self._shapes(mid, WALLS))
        self._keep("zones", await self._shapes(mid, NO_MOP))
        await self.path()
        # The answer is a report like any other.
        await self.ask("getPos", ["chargePos", "deebotPos"])

    async def ask(self, name: str, data: object) -> Any:
        """
        Put one question.

        @return: C{None} if the robot does not know that, or says nothing.
        @raise Silence: it has not answered a while.
        """
        if self._silent >= SILENT:
            raise Silence(self._did)
        body = maps.question(data, self._seconds)
        command = Command(self._device.id, name, body, PayloadKind.JSON)
        try:
            reply = await self._send(command)
            self._silent = 0
            return maps.answer(reply.body)
        except CommandTimedOut:
            self._silent += 1
        except (BadRequest, ValueError):
            pass
        return None

    async def _pieces(self, mid: str) -> None:
        said = await self.ask("getMajorMap", {} if not mid else {"mid": mid})
        try:
            wanted = self._map.wanted(maps.major(said))
        except ValueError:
            return
        self._book.touch(self._did, drawn=True)
        rest, name = iter(wanted), self._map.grid.mid
        await gatherResults(
            [Deferred.fromCoroutine(self._some(rest, name)) for _ in range(AT_ONCE)],
            consumeErrors=True,
        ).addErrback(first_failure)

    async def _some(self, rest: Iterator[int], mid: str) -> None:
        """One of those who ask for pieces, until there are none left."""
        for index in rest:
            said = await self.ask("getMinorMap", {"mid": mid, "type": "ol", "pieceIndex": index})
            value = said.get("pieceValue") if isinstance(said, dict) else None
            if value is not None and self._map.grid.mid == mid:
                try:
                    self._book.piece(self._did, index, value)
                except ValueError:
                    continue

    async def _set(self, mid: str, kind: str) -> Members | None:
        """The members of a set, in the way that the robot knows."""
        ways = [("getMapSet", members), ("getMapSet_V2", members_v2)]
        if self._map.v2:
            ways.reverse()
        for name, read in ways:
            said = await self.ask(name, {"mid": mid, "type": kind})
            try:
                found = read(said) if isinstance(said, dict) else None
            except ValueError:
                continue
            if found is not None:
                self._map.v2 = name.endswith("_V2")
                return found
        return None

    async def _rooms(self, mid: str) -> None:
        found = await self._set(mid, ROOMS)
        if found is None:
            return
        rooms = await self._outlined(found, mid)
        if rooms != self._map.rooms:
            self._map.rooms = rooms
            self._book.touch(self._did)

    async def _outlined(self, found: Members, mid: str) -> tuple[Room, ...]:
        known, said = {each.id: each for each in self._map.rooms}, []
        for each in found.rooms:
            answer = await self._member(found.msid, each.id, mid, ROOMS)
            told = read_room(answer, each.id) if isinstance(answer, dict) else None
            said.append(joined(each, told or known.get(each.id)))
        return tuple(said)

    async def _member(self, msid: str, mssid: str, mid: str, kind: str) -> Any:
        given = {"mid": mid, "msid": msid, "type": kind, "mssid": mssid}
        return await self.ask("getMapSubSet", given)

    async def _shapes(self, mid: str, kind: str) -> Shapes | None:
        found = await self._set(mid, kind)
        if found is None:
            return None
        shapes = dict(found.shapes)
        for each in found.rooms:
            if each.id not in shapes:
                said = await self._member(found.msid, each.id, mid, kind)
                shapes |= {each.id: at} if (at := read_shape(said)) else {}
        return shapes

    def _keep(self, name: str, shapes: Shapes | None) -> None:
        if shapes is not None and shapes != getattr(self._map, name):
            setattr(self._map, name, shapes)
            self._book.touch(self._did)

    async def path(self) -> None:
        """Where the robot has been."""
        if self.is_xml:
            await self._xml_path()
        elif not await self._rest_of_path():
            await self._whole_path()

    async def _batch(self, start: int) -> maps.Trace | None:
        said = await self.ask("getMapTrace", {"pointCount": BATCH, "traceStart": start})
        try:
            found = maps.trace(said)
        except ValueError:
            return None
        return found if found.points and found.start == start else None

    async def _rest_of_path(self) -> bool:
        """What has come since the last point that is here; says whether that is all."""
        path, before = self._map.path, -1
        while path.is_whole and before < path.end < LONGEST:
            before = path.end
            # A robot that is asked for what is behind its last point complains.
            found = await self._batch(before - 1)
            if found is None:
                return True
            if found.tid != path.tid:
                return False
            self._book.trace(self._did, found)
            if found.total <= path.end:
                break
        return path.is_whole

    async def _whole_path(self) -> None:
        points: list[maps.TracePoint] = []
        tid, more = "", True
        while more and len(points) < LONGEST:
            found = await self._batch(len(points))
            more = found is not None and found.tid == (tid or found.tid)
            if found is not None and more:
                tid = found.tid
                points += found.points
                more = found.total > len(points)
        if points:
            self._book.whole(self._did, tid, points)

    async def _xml_path(self) -> None:
        """What is asked for comes as events from now on; the end of the path comes at once."""
        try:
            command = Command(self._device.id, START_TRACE, b"<ctl/>", PayloadKind.XML)
            reply = await self._send(command)
            said = translation.element(reply.body)
            self._book.trace(self._did, maps.xml_trace(said.plain()))
        except (BadRequest, CommandFailed, ValueError):
            return


def first_failure(failure: Failure) -> None:
    """
    What the first of several met.

    @raise Silence: most likely.
    """
    why: Any = failure.value
    why.subFailure.raiseException()


def read_room(said: dict[str, Any], mssid: str) -> Room | None:
    """A room, as far as that can be read; some robots leave out what they were asked."""
    try:
        return room({**said, "mssid": mssid})
    except ValueError:
        return None


def read_shape(said: object) -> tuple[maps.Point, ...]:
    """A wall or a zone; nothing if that cannot be read."""
    try:
        return shape(said)
    except ValueError:
        return ()


def joined(listed: Room, told: Room | None) -> Room:
    """What a list says of a room, and what the room says of itself."""
    if told is None:
        return listed
    return evolve(told, name=listed.name or told.name, centre=listed.centre or told.centre)
