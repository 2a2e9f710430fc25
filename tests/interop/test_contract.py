"""Whatever our OpenAPI document says, asked by schemathesis of a started server."""

import re
import subprocess

from tests.interop import installs
from tests.interop.case import InteropCase, ask, log_in
from tests.interop.server import HOST, own_environment

#: What has to hold of every answer.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
#: That a robot is silent, busy or gone is documented, and no defect of the server; 500 is one.
EXPECTED = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "502", "503", "504"]
"""
#: Questions per endpoint; the same ones each time.
EXAMPLES, SEED = "4", "1"
PHASES = "examples,coverage"
#: Seconds for all of them, of which there are thousands.
PATIENCE = 400


class ContractTests(InteropCase):
    """Our own API, and the vendor's."""

    def asked(self, tag: str, *more: str) -> None:
        """Ask everything of one part; nothing may be amiss."""
        program = installs.schemathesis()
        server = self.serve()
        ports = server.ports()
        fleet = self.robots(ports.mqtt)
        # A robot that is known; made up ones are not found, and so do not tell much.  It leaves,
        # as it would be silent to made up commands for up to a minute each.
        [robot] = fleet.json
        fleet.stop()
        told = f'[parameters]\n"path.did" = "{robot.did}"\n{EXPECTED}'
        (self.folder / "schemathesis.toml").write_text(told)
        token = log_in(ports.web)
        where = f"http://{HOST}:{ports.web}"
        done = subprocess.run(
            [
                *(str(program), "run", f"{where}/api/openapi.json?tag={tag}", "--url", where),
                *("--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS)),
                *("--max-examples", EXAMPLES, "--seed", SEED, "--phases", PHASES),
                *("--suppress-health-check", "all", "--no-color", "--workers", "2", *more),
            ],
            cwd=self.folder,
            env=own_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
        assert counted is not None, done.stdout
        self.assertEqual(counted[1], counted[2])
        self.assertGreater(int(counted[1]), 100)
        self.assertEqual(ask(ports.web, "GET", "/api/robots", token=token).status, 200)

    def test_own(self) -> None:
        """The API of this box does what it says, whatever it is asked, and never breaks."""
        # A stream has no end.
        self.asked("own", "--mode", "all", "--exclude-path", "/api/events")

    def test_vendor(self) -> None:
        """So do the vendor's paths; as much as is known of them is described."""
        self.asked("vendor")
