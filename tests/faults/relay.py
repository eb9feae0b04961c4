#!/usr/bin/python3
"""A process between the daemon and what it talks to: passes bytes on, until it is told to do worse.

    in      one JSON argument: {"control": unix socket, "tcp": {name: {"listen": [address, port], "to": [address, port],
            "mails": file?}},
            "udp": {name: ...}}; then, on the control socket, a JSON line {"name", "mode", "seconds"?} for each change of mode
    out     "ready" on stdout; "ok" on the control socket for each line
    tcp     pass; refuse (accepts and resets); reset (all that are open, then again every `seconds`); stall (no byte moves, until the
            mode changes); midline (a server's next answer stops in the middle of its line, for good); half-open (both sides think
            that they are connected; when the mode changes they are reset); lose-replies (what the client says gets through, the answer
            does not, and then the connection is reset); delay (each piece waits `seconds`)
    udp     pass, silent, servfail, garbage, delay (`seconds`)
    mails   a file that gets "seconds address" whenever a client begins a transaction (SMTP's MAIL)
    limits  a piece has at most PIECE octets; one piece a direction is held
"""
import asyncio
import contextlib
import json
import socket
import struct
import sys
import time

import places  # noqa: F401
from lying_dns import lie_to

PIECE = 65536
LOST_AFTER = 0.05     # seconds from a client's words to the reset, when replies are lost


class TcpRelay:
    def __init__(self, listen, to, mails=None):
        self.listen, self.to = listen, to
        self.mails = open(mails, "a", buffering=1) if mails else None
        self.mode, self.seconds, self.changed = "pass", 0.0, asyncio.Event()
        self.open = set()          # connections: (client's writer, server's writer)
        self.spoilt = set()        # connections that stay silent whatever the mode is now

    async def start(self):
        await asyncio.start_server(self._serve, *self.listen, limit=PIECE)

    def set(self, mode, seconds):
        spoilt, self.spoilt = self.spoilt, set()
        for connection in spoilt:
            self._reset(connection)
        if self.mode == "half-open":
            self._reset_all()
        self.mode, self.seconds = mode, seconds
        self.changed.set()
        self.changed = asyncio.Event()
        if mode == "reset":
            asyncio.ensure_future(self._reset_again(self.changed))

    async def _reset_again(self, changed):
        while not changed.is_set():
            self._reset_all()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(changed.wait(), self.seconds or 1.0)

    def _reset_all(self):
        for connection in list(self.open):
            self._reset(connection)

    def _reset(self, connection):
        for writer in connection:
            sock = writer.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _serve(self, reader, writer):
        if self.mode == "refuse":
            self._reset((writer,))
            return
        try:
            up_reader, up_writer = await asyncio.wait_for(asyncio.open_connection(*self.to, limit=PIECE), 10)
        except (OSError, asyncio.TimeoutError):
            self._reset((writer,))
            return
        connection = (writer, up_writer)
        self.open.add(connection)
        try:
            await asyncio.gather(self._pump(reader, up_writer, connection, True), self._pump(up_reader, writer, connection, False))
        finally:
            self.open.discard(connection)
            for side in connection:
                side.close()

    async def _pump(self, reader, writer, connection, from_client):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                piece = await reader.read(PIECE)
                if not piece:
                    break
                if self.mails and from_client and b"MAIL FROM:" in piece:
                    self.mails.write(f"{time.time():.3f} {connection[0].get_extra_info('peername')[0]}\n")
                piece = await self._treated(piece, connection, from_client)
                if piece:
                    writer.write(piece)
                    await writer.drain()
        if self.mode in ("stall", "half-open"):
            await self._while_mode(self.mode)
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()

    async def _treated(self, piece, connection, from_client):
        """What of it goes on, and when."""
        mode = self.mode
        if connection in self.spoilt:
            return b""
        if mode in ("stall", "half-open"):
            await self._while_mode(mode)
            return piece if mode == "stall" else b""
        if mode == "delay":
            await asyncio.sleep(self.seconds)
        if mode == "midline" and not from_client:
            self.spoilt.add(connection)
            return piece[:max(1, len(piece) // 2 - 1)]
        if mode == "lose-replies" and from_client:
            asyncio.get_running_loop().call_later(LOST_AFTER, self._reset, connection)
        elif mode == "lose-replies":
            return b""
        return piece

    async def _while_mode(self, mode):
        while self.mode == mode:
            await self.changed.wait()


class UdpRelay(asyncio.DatagramProtocol):
    def __init__(self, listen, to):
        self.listen, self.to = listen, to
        self.mode, self.seconds, self.transport = "pass", 0.0, None

    async def start(self):
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=tuple(self.listen))

    def connection_made(self, transport):
        self.transport = transport

    def set(self, mode, seconds):
        self.mode, self.seconds = mode, seconds

    def datagram_received(self, query, client):
        if self.mode == "silent":
            return
        lie = lie_to(query, self.mode)
        if lie is not None:
            self.transport.sendto(lie, client)
            return
        asyncio.ensure_future(self._ask(query, client, self.seconds if self.mode == "delay" else 0))

    async def _ask(self, query, client, wait):
        await asyncio.sleep(wait)
        answer = asyncio.get_running_loop().create_future()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Answer(answer), remote_addr=tuple(self.to))
        transport.sendto(query)
        with contextlib.suppress(asyncio.TimeoutError, OSError):
            self.transport.sendto(await asyncio.wait_for(answer, 2), client)
        transport.close()


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer = answer

    def datagram_received(self, data, _):
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, error):
        if not self.answer.done():
            self.answer.set_exception(error)


async def main(wanted):
    relays = {name: TcpRelay(**where) for name, where in wanted.get("tcp", {}).items()}
    relays.update({name: UdpRelay(**where) for name, where in wanted.get("udp", {}).items()})
    for relay in relays.values():
        await relay.start()

    async def control(reader, writer):
        while line := await reader.readline():
            order = json.loads(line)
            relays[order["name"]].set(order["mode"], order.get("seconds", 0.0))
            writer.write(b"ok\n")
            await writer.drain()

    await asyncio.start_unix_server(control, wanted["control"])
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
