"""What a robot tells the world."""

from __future__ import annotations

from enum import Enum, auto


class Happening(Enum):
    """What a robot tells the world; each dialect has its own words for it."""

    STARTED = auto()
    JOB_STARTED = auto()
    UNDOCKED = auto()
    PAUSED = auto()
    RESUMED = auto()
    JOB_ENDED = auto()
    LEAVING = auto()
    GOING = auto()
    HALTED = auto()
    DOCKED = auto()
    SETTLED = auto()
    MOVED = auto()
    TRACED = auto()
    MAPPED = auto()
    PROGRESS = auto()
    METRE = auto()
    BATTERY = auto()
    SLEEP = auto()
    ERROR = auto()
    LIFE = auto()
    BIN = auto()
    WATER = auto()
    DIAGNOSTICS = auto()
