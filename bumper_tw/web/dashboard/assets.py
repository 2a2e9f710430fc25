"""What browsers load besides the pages: style, scripts, the icon."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from attrs import frozen

import bumper_tw.web
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.pictures import DRAWN, NEUTRAL, PICTURES
from bumper_tw.web.routes import GET, Route

PAGE = Path(bumper_tw.web.__file__).parent / "data" / "page"

#: What a file is, by the end of its name.
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@frozen
class Asset:
    """One file, with what it is."""

    body: bytes
    kind: str
    etag: str

    def answer(self, call: Call) -> Answer:
        """The file, unless the browser has it."""
        headers = (("ETag", self.etag), ("Cache-Control", "no-cache"))
        if self.etag in call.header("if-none-match"):
            return Answer(b"", 304, headers=headers)
        return Answer(self.body, content_type=self.kind, headers=headers)


def load(file: Path) -> Asset:
    """Read one file."""
    body = file.read_bytes()
    return Asset(body, KINDS[file.suffix], f'"{sha256(body).hexdigest()[:16]}"')


def asset_routes(here: Callable[[Call], bool]) -> tuple[Route, ...]:
    """
    C{/page/...}: there are no secrets in these.

    @param here: whether somebody calls this box by a name of its own.
    """
    return tuple(
        Route(f"/page/{name}", GET, load(file).answer, failure, here=here)
        for name, file in files().items()
    )


def files() -> dict[str, Path]:
    """Every file by the name it has there: those for pages only, and drawings of robots."""
    own = {file.name: file for file in sorted(PAGE.iterdir()) if file.suffix in KINDS}
    drawings = sorted({*DRAWN.values(), NEUTRAL})
    return own | {f"robot-{name}.svg": PICTURES / f"{name}.svg" for name in drawings}
