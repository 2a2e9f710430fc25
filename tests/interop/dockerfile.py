"""A Dockerfile, read, and done step by step in a Debian of our own: there is no engine here."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import Factory, define, frozen

from tests.interop.children import Child
from tests.interop.chroots import Chroot

#: What we know to do; anything else is an error here, and has to be learnt.
KNOWN = frozenset(
    {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR"}
    | {"VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"}
)


@frozen
class Step:
    """One instruction."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words, or the list that it is."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return self.text.split()


@define
class Stage:
    """One image, as far as it is said."""

    base: str
    name: str
    steps: list[Step] = Factory(list)

    def last(self, name: str) -> Step:
        """What counts of an instruction that may be given several times."""
        return [step for step in self.steps if step.name == name][-1]

    def environ(self) -> dict[str, str]:
        """The variables of its process."""
        texts = [step.text for step in self.steps if step.name == "ENV"]
        return dict(text.split("=", 1) for text in texts)

    def install(self) -> list[str]:
        """The packages that Debian has to bring, by name."""
        text = " ".join(step.text for step in self.steps if step.name == "RUN")
        found = re.findall(r"apt-get install ((?:[^&|;])*)", text)
        words = " ".join(found).split()
        return [word for word in words if not word.startswith(("-", "/"))]


def read(path: Path) -> list[Stage]:
    """
    The stages in a file.

    @raise ValueError: naming an instruction that nobody here can do.
    """
    stages: list[Stage] = []
    for step in steps(path.read_text("utf-8")):
        if step.name not in KNOWN:
            raise ValueError(f"{step.name} is not known")
        if step.name == "FROM":
            base, _, name = step.text.partition(" AS ")
            stages.append(Stage(base, name))
        else:
            stages[-1].steps.append(step)
    return stages


def steps(text: str) -> Iterator[Step]:
    """The instructions, each on one line."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in kept.replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name:
            yield Step(name.upper(), re.sub(r" {2,}", " ", rest.strip()))


@define
class Build:
    """
    One stage on its way.

    @ivar context: the folder that C{COPY} takes from.
    @ivar stages: what copies a folder out of those before, by name, for C{COPY --from}.
    @ivar given: variables for C{RUN} that are no part of the image.
    """

    debian: Chroot
    context: Path
    stages: dict[str, Callable[[str, Path], None]]
    folder: Path
    given: dict[str, str] = Factory(dict)
    where: str = "/"
    user: str = "0:0"

    def make(self, stage: Stage) -> None:
        """Do every step."""
        for step in stage.steps:
            if step.name == "RUN":
                environ = {**self.given, **stage.environ()}
                inside = f"cd {self.where} && {step.text}"
                self.debian.do("sh", "-ec", inside, environ=environ)
            elif step.name == "WORKDIR":
                self.where = step.text
                self.debian.do("mkdir", "-p", step.text)
            elif step.name == "COPY":
                self.copy(*step.words)
            elif step.name == "USER":
                self.user = step.text
                # It exists.
                self.debian.do("getent", "passwd", step.text.partition(":")[0])

    def copy(self, *words: str) -> None:
        """C{COPY}, from the context or from a stage before."""
        if words[0].startswith("--from="):
            place = self.folder / "copied"
            self.stages[words[0].partition("=")[2]](words[1], place)
            self.debian.put(place, words[2].rstrip("/"))
        else:
            self.debian.put(self.context / words[0], words[1])

    def start(self, stage: Stage) -> Child:
        """The process of the image."""
        return self.debian.start(*self.as_user(stage, stage.last("ENTRYPOINT").words))

    def healthy(self, stage: Stage) -> bool:
        """What the image itself says of its health."""
        told = stage.last("HEALTHCHECK").text.partition("CMD ")[2]
        argv = self.as_user(stage, json.loads(told))
        return self.debian.run(*argv).returncode == 0

    def as_user(self, stage: Stage, words: list[str]) -> list[str]:
        """What to run so that it runs as the engine would: without a privilege, for ever."""
        given = [f"{name}={text}" for name, text in {**stage.environ(), **self.given}.items()]
        user, _, group = self.user.partition(":")
        who = ["--reuid", user, "--regid", group, "--init-groups"]
        less = ["--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs"]
        inside = ["env", f"--chdir={self.where}", *given, *words]
        return ["setpriv", *who, *less, "--", *inside]
