#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0
"""A server and its clients over AF_RUNIX, in Python: echo.py PATH"""

import asyncio
import sys

import runix


async def serve(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


async def ask(path, text):
    reader, writer = await asyncio.open_connection(sock=runix.connect(path))
    writer.write(text.encode())
    writer.write_eof()
    print("client: received", (await reader.read()).decode())
    writer.close()


async def main(path):
    listener = runix.socket()
    listener.bind(path)
    async with await asyncio.start_server(serve, sock=listener):
        print("server: listening on", listener.getsockname())
        for text in "good morning", "good night":
            await ask(path, text)


asyncio.run(main(sys.argv[1]))
