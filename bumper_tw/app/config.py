"""
One TOML file, what the owner chose on the page, C{BUMPER_*} variables, then options, become
frozen settings.

What there is to set is in L{bumper_tw.app.settings}.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import Attribute, fields, frozen, has
from twisted.logger import Logger

from bumper_tw.app.kinds import known
from bumper_tw.app.page_file import ON_PAGE, page_path
from bumper_tw.app.profiles import defaults_of
from bumper_tw.app.settings import Listen, Setting, Settings, described, shown
from bumper_tw.errors import StartError

Schema = Mapping[str, Setting]
Found = Iterator[tuple[str, Any]]

#: Where settings come from, besides defaults; a later one wins.
ORIGINS = ("file", "page", "environment", "options")

FILE_LIMIT = 1 << 20  # Settings are a page or two; what is larger is some other file.

#: Container platforms describe a service called "bumper" to its neighbours, and to itself, in
#: variables of this shape (BUMPER_SERVICE_HOST, BUMPER_PORT_443_TCP_ADDR); they are not ours.
SERVICE_LINK = re.compile(r"BUMPER_(SERVICE_(HOST|PORT\w*)|PORT(_[0-9]+_(TCP|UDP)\w*)?)")


def describe() -> Iterator[Setting]:
    """Every setting with its type, default and meaning, for C{--help} and the manual."""
    for part in fields(Settings):
        if not _inside(part):
            yield described("", part)
        yield from (described(part.name, a) for a in _inside(part) or fields(Listen))


@frozen
class Layers:
    """
    What was said, and where; what comes later wins.

    @ivar path: the settings file; C{None} for none.
    @ivar base: where relative paths start.
    @ivar defaults: those of the profile among them.
    @ivar said: by where it was said: C{file}, C{page}, C{environment}, C{options}.
    """

    path: Path | None
    base: Path
    defaults: Mapping[str, Any]
    said: Mapping[str, Mapping[str, Any]]

    def origin(self, key: str) -> str:
        """Where the value that counts comes from: one of these, or C{default}."""
        return next((n for n in reversed(ORIGINS) if key in self.said[n]), "default")

    def values(self, without: str = "") -> dict[str, Any]:
        """
        What counts of each.

        @param without: as if nothing had been said there.
        """
        values = dict(self.defaults)
        for name, said in self.said.items():
            values.update({} if name == without else said)
        return values

    @property
    def page_file(self) -> Path:
        """Where the page of the owner keeps what he has chosen."""
        return page_path(self.base / self.values("page")["storage.directory"])

    def built(self) -> Settings:
        """
        The settings.

        @raise StartError: two of them do not fit together.
        """
        return _built(self.values(), self.base)


def load(path: Path | None, environ: Mapping[str, str], options: Mapping[str, str]) -> Settings:
    """
    Read the settings; what comes later wins: defaults, those of the profile, file, what the owner
    chose on the page, environment, options.  Relative paths start at the folder of the file,
    without a file at the working directory.

    @param path: the TOML file; C{None} for the one C{BUMPER_CONFIG} names, if any.
    @param environ: an empty variable counts as not set.
    @param options: text by key, such as C{{"commands.timeout": "5"}}.
    @raise StartError: naming where it stands, the key, and what was expected or is nearest.
    """
    return layers(path, environ, options).built()


def layers(path: Path | None, environ: Mapping[str, str], options: Mapping[str, str]) -> Layers:
    """The same before it is put together; see L{load}."""
    named = environ.get("BUMPER_CONFIG", "")
    path = Path(named) if path is None and named else path
    schema = {s.key: s for s in describe() if s.env}
    said: dict[str, dict[str, Any]] = {name: {} for name in ORIGINS}
    if path is not None:
        with _blaming(str(path)):
            said["file"].update(_from_file(path, schema))
    with _blaming("environment"):
        said["environment"].update(_from_environ(environ, {s.env: s for s in schema.values()}))
    with _blaming("options"):
        taken = {k: schema[known(k, schema)].take(text, k) for k, text in options.items()}
        said["options"].update(taken)
    base = Path.cwd() if path is None else path.absolute().parent
    defaults = {key: setting.default for key, setting in schema.items()}
    first = Layers(path, base, defaults, said)
    profile = first.values()["server.profile"]
    found = Layers(path, base, {**defaults, **defaults_of(profile)}, said)
    said["page"].update(_from_page(found.page_file, schema))
    return found


def _from_page(path: Path, schema: Schema) -> dict[str, Any]:
    """
    What the owner chose on the page.

    Whoever can write in the data folder must not decide about all else.  What is wrong there is
    left out, and the log says so: the page can take it back only where there is a server.
    """
    found: dict[str, Any] = {}
    if not _is_ours(path):
        return found
    try:
        for section, value in _parsed(path).items():
            for key, each in _flat(section, value):
                found.update(_chosen(path, key, each, schema))
    except StartError as wrong:
        _left_out(path, wrong)
    return found


def _flat(section: str, value: object) -> Found:
    """What is in a table by its full keys; a value that is in none as it is."""
    if not isinstance(value, dict):
        yield section, value
    else:
        yield from ((f"{section}.{key}", each) for key, each in value.items())


def _chosen(path: Path, key: str, value: object, schema: Schema) -> Mapping[str, Any]:
    """One setting, when it is a right one that the page can choose."""
    try:
        return {key: schema[known(key, ON_PAGE)].take(value)}
    except StartError as wrong:
        _left_out(path, wrong)
        return {}


def _left_out(path: Path, wrong: StartError) -> None:
    Logger(__name__).warn("{path}: {why}; that is left out", path=path, why=wrong)


def _from_file(path: Path, schema: Schema) -> Found:
    for section, value in _parsed(path).items():
        if known(section, [a.name for a in fields(Settings)]) in schema:
            yield section, schema[section].take(value)
        elif not isinstance(value, dict):
            raise StartError(f"{section} = {shown(value)}, expected a table [{section}]")
        else:
            for key in value:
                setting = schema[known(f"{section}.{key}", schema)]
                yield setting.key, setting.take(value[key])


def _is_ours(path: Path) -> bool:
    """Whether there is such a file; who may not look into the folder runs no server there."""
    try:
        return path.is_file() and not path.is_symlink()
    except OSError:
        return False


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise StartError(f"cannot be read: {error.strerror}") from error
    if len(text) > FILE_LIMIT:
        raise StartError(f"is larger than {FILE_LIMIT} bytes, expected a settings file")
    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise StartError(f"is not TOML: {error}") from error


def _from_environ(environ: Mapping[str, str], schema: Schema) -> Found:
    for name, text in environ.items():
        foreign = not name.startswith("BUMPER_") or SERVICE_LINK.fullmatch(name)
        if not foreign and name != "BUMPER_CONFIG" and known(name, schema) and text:
            yield schema[name].key, schema[name].take(text, name)


def _built(values: Mapping[str, Any], base: Path) -> Settings:
    settled = {k: base / v if isinstance(v, Path) and v.name else v for k, v in values.items()}
    parts: dict[str, Any] = {}
    for part in fields(Settings):
        kind: Any = type(part.default)
        given = {a.name: settled[f"{part.name}.{a.name}"] for a in _inside(part)}
        parts[part.name] = kind(**given) if given else settled[part.name]
    return _possible(Settings(**parts))


def _possible(settings: Settings) -> Settings:
    """
    The same settings, of which each is right.

    @raise StartError: two of them do not fit together.
    """
    identity = settings.identity
    if identity.robots_of == "owners" and identity.policy != "strict":
        raise StartError(
            'identity.robots_of = "owners" needs identity.policy = "strict" beside it: where '
            "everybody is believed who he is, everybody is the owner"
        )
    return settings


def _inside(part: "Attribute[Any]") -> "Iterable[Attribute[Any]]":
    """What a section is made of; nothing when C{part} is itself a setting."""
    kind: Any = type(part.default)
    return fields(kind) if has(kind) else ()


@contextmanager
def _blaming(origin: str) -> Iterator[None]:
    try:
        yield
    except StartError as error:
        raise StartError(f"{origin}: {error}") from None
