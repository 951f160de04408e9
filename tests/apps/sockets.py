# SPDX-License-Identifier: GPL-2.0
"""Ordinary programs with AF_UNIX sockets, none of which knows of another family."""

import array
import asyncio
import hashlib
import multiprocessing
import multiprocessing.connection
import os
import socket
import struct
import subprocess
import sys

from common import check_listed, in_thread, run_all

T = sys.argv[1]


def test_stream():
    """socket: a stream at a path."""
    path = T + "/stream"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    check_listed(path)
    assert listener.getsockname() == path
    assert listener.family == socket.AF_UNIX

    def serve():
        connection, address = listener.accept()
        assert address == ""
        assert connection.family == socket.AF_UNIX
        with connection:
            while data := connection.recv(70000):
                connection.sendall(data)

    thread = in_thread(serve)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(path)
    assert client.getpeername() == path
    again = socket.socket(fileno=os.dup(client.fileno()))
    assert again.family == socket.AF_UNIX and again.type == socket.SOCK_STREAM
    data = os.urandom(100000)
    client.sendall(data)
    got = b""
    while len(got) < len(data):
        got += client.recv(65536)
    assert got == data
    again.close()
    client.close()
    thread.join(20)
    assert not thread.is_alive()
    pid, uid, _ = struct.unpack("3i", listener.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    assert (pid, uid) == (os.getpid(), os.getuid())


def test_datagrams():
    """socket: datagrams and their senders."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(T + "/server")
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    client.bind(T + "/client")
    assert client.sendto(b"one", T + "/server") == 3
    assert server.recvfrom(10) == (b"one", T + "/client")
    client.sendmsg([b"t", b"wo"], [], 0, T + "/server")
    data, _, _, address = server.recvmsg(10)
    assert (data, address) == (b"two", T + "/client")
    client.connect(T + "/server")
    client.send(b"three")
    assert server.recvfrom(10)[0] == b"three"
    buffer = bytearray(10)
    server.sendto(b"four", T + "/client")
    assert client.recvfrom_into(buffer) == (4, T + "/server")


def test_abstract():
    """socket: abstract names, packets, autobind."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0apps-{os.getpid()}\0x")
    listener.listen()
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(listener.getsockname())
    client.send(b"a")
    client.send(b"b")
    server, _ = listener.accept()
    assert (server.recv(10), server.recv(10)) == (b"a", b"b")
    assert client.getpeername() == f"\0apps-{os.getpid()}\0x".encode()
    unnamed = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    unnamed.bind("")
    name = unnamed.getsockname()
    assert len(name) == 6 and name[0] == 0, name


def test_descriptors():
    """socket: descriptors and credentials are passed."""
    here, there = socket.socketpair()
    there.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    assert there.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED) == 1
    assert here.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED) == 0
    reader, writer = os.pipe()
    socket.send_fds(here, [b"x"], [writer])
    data, ancillary, _, _ = there.recvmsg(10, 200)
    assert data == b"x"
    kinds = {kind: value for _, kind, value in ancillary}
    assert struct.unpack("3i", kinds[socket.SCM_CREDENTIALS])[0] == os.getpid()
    fds = array.array("i")
    fds.frombytes(kinds[socket.SCM_RIGHTS])
    os.write(fds[0], b"through")
    assert os.read(reader, 10) == b"through"
    # A socket of the same family as well.
    there.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    assert there.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED) == 0
    socket.send_fds(here, [b"y"], [here.fileno()])
    assert len(socket.recv_fds(there, 10, 1)[1]) == 1


def test_asyncio():
    """asyncio: a server and many clients."""
    path = T + "/asyncio.sock"

    async def serve(reader, writer):
        assert writer.get_extra_info("sockname") == path
        data = await reader.read()
        writer.write(hashlib.sha256(data).hexdigest().encode())
        writer.close()

    async def ask(number):
        reader, writer = await asyncio.open_unix_connection(path)
        data = bytes([number]) * 300000
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == hashlib.sha256(data).hexdigest().encode()
        writer.close()
        await writer.wait_closed()

    async def main():
        server = await asyncio.start_unix_server(serve, path)
        check_listed(path)
        async with server:
            await asyncio.gather(*(ask(number) for number in range(10)))
        process = await asyncio.create_subprocess_exec(
            "tr", "a-z", "A-Z", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert (await process.communicate(b"hello"))[0] == b"HELLO"

    asyncio.run(main())


def test_asyncio_datagrams():
    """asyncio: datagrams."""
    path = T + "/datagrams.sock"
    answers = []

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            self.transport.sendto(data.upper(), address)

    class Ask(asyncio.DatagramProtocol):
        def datagram_received(self, data, address):
            answers.append((data, address))

    async def main():
        loop = asyncio.get_running_loop()
        server, _ = await loop.create_datagram_endpoint(Echo, local_addr=path, family=socket.AF_UNIX)
        client, _ = await loop.create_datagram_endpoint(
            Ask, local_addr=path + ".client.sock", remote_addr=path, family=socket.AF_UNIX)
        client.sendto(b"hello")
        while not answers:
            await asyncio.sleep(0.01)
        client.close()
        server.close()

    asyncio.run(main())
    assert answers == [(b"HELLO", path)], answers


def square(number):
    return number * number


def echo(connection):
    while (item := connection.recv()) is not None:
        connection.send(item)


def test_multiprocessing_pool():
    """multiprocessing: pools, by fork and by the fork server."""
    for method in "fork", "forkserver":
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            assert pool.map(square, range(50)) == [n * n for n in range(50)]


def test_multiprocessing_pipe():
    """multiprocessing: a pipe, a connection that is passed, a manager."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=echo, args=(there,))
    process.start()
    for item in "text", b"x" * 500000, {"a": [1, 2]}:
        here.send(item)
        assert here.recv() == item
    here.send(None)
    process.join(20)
    assert process.exitcode == 0
    with multiprocessing.get_context("forkserver").Manager() as manager:
        shared = manager.dict()
        shared["a"] = 1
        assert dict(shared) == {"a": 1}


def test_multiprocessing_listener():
    """multiprocessing: a listener with a key."""
    address = T + "/listener.sock"
    with multiprocessing.connection.Listener(address, "AF_UNIX", authkey=b"key") as listener:
        check_listed(address)
        def ask():
            with multiprocessing.connection.Client(address, authkey=b"key") as client:
                client.send([1, 2, 3])
        thread = in_thread(ask)
        with listener.accept() as connection:
            assert connection.recv() == [1, 2, 3]
        thread.join(20)


def test_program():
    """subprocess: a program that is run talks to us."""
    path = T + "/program.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({path!r}); s.send(b'child')"
    child = subprocess.Popen([sys.executable, "-c", code])
    listener.settimeout(20)
    assert listener.accept()[0].recv(10) == b"child"
    assert child.wait(20) == 0


if __name__ == "__main__":
    run_all(globals())
