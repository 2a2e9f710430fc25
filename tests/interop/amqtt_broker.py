"""
The broker of C{amqtt}, on whatever port is free: it says which.

Run by the Python the library is installed in, until its standard input ends.
"""

import asyncio
import logging
import sys

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker

CONFIG = {
    # The broker cannot tell which port it was given, so that the listener is ours.
    "listeners": {"default": {"type": "external"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


async def main() -> None:
    """Serve."""
    broker = Broker(CONFIG)
    await broker.start()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = StreamReaderAdapter(reader), StreamWriterAdapter(writer)
        await broker.external_connected(*ends, "default")

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    sys.stdout.write(f"listening on {listener.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    listener.close()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main())
