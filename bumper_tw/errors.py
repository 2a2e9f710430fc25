"""The failures we cause on purpose; everything else is a bug and keeps its traceback."""


class BumperError(Exception):
    """Any failure with a meaning; its text is one sentence for whoever reads it."""


class StartError(BumperError):
    """The server cannot start; the text tells the owner why, naming file, key or port."""


class ProtocolViolation(BumperError):
    """A peer broke the rules of its protocol; its connection ends."""


class BadRequest(BumperError):
    """A request cannot be understood; whoever sent it hears the text."""


class LoginRefused(BumperError):
    """The credentials do not open anything here."""


class Forbidden(LoginRefused):
    """Whoever asks is known, and may not do that."""


class UnknownAccount(LoginRefused):
    """Neither account nor password was right, or one of them was not."""


class CommandFailed(BumperError):
    """A command did not get its answer."""


class DeviceUnknown(CommandFailed):
    """Nobody has ever seen that robot here."""


class DeviceOffline(CommandFailed):
    """The robot is known, and has no connection."""


class CommandTimedOut(CommandFailed):
    """The robot heard the command, and stayed silent."""


class RobotBusy(CommandFailed):
    """Too many questions wait for this robot already."""


class AnswerGarbled(CommandFailed):
    """The robot answered with something that cannot be read."""


class ShuttingDown(CommandFailed):
    """The server is stopping; ask its successor."""


class StorageError(BumperError):
    """The database cannot be used; the text says which file and why."""
