# SPDX-License-Identifier: GPL-2.0
"""The module of samples/python, for programs that mean AF_RUNIX: nobody is redirected."""

import array
import fcntl
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../python")

import runix
from common import check_listed, is_runix, run_all

T = sys.argv[1]


def test_stream():
    """module: a stream at a path."""
    path = T + "/a-name-of-more-than-14-bytes"
    with runix.socket() as listener, runix.socket() as client:
        assert is_runix(listener) and runix.AF_RUNIX != socket.AF_UNIX
        listener.bind(path)
        listener.listen()
        check_listed(path)
        assert listener.getsockname() == path
        client.connect(path)
        assert client.getpeername() == path
        server, address = listener.accept()
        assert address == "" and server.family == runix.AF_RUNIX
        assert not os.get_inheritable(server.fileno())
        with server:
            server.sendall(b"x" * 100000)
        got = b""
        while data := client.recv(65536):
            got += data
        assert got == b"x" * 100000
        listener.settimeout(0.1)
        try:
            listener.accept()
            raise AssertionError
        except TimeoutError:
            pass


def test_datagrams():
    """module: datagrams and their senders."""
    server = runix.socket(socket.SOCK_DGRAM)
    server.bind(T + "/another-name-of-more-than-14-bytes")
    client = runix.socket(socket.SOCK_DGRAM)
    client.bind(b"\0another-long-abstract-name")
    client.sendto(b"hello", server.getsockname())
    assert server.recvfrom(10) == (b"hello", b"\0another-long-abstract-name")
    client.sendto(b"cut off", 0, server.getsockname())
    data, _, flags, _ = server.recvmsg(3)
    assert data == b"cut" and flags & socket.MSG_TRUNC
    buffer = bytearray(10)
    server.sendto(b"back", client.getsockname())
    assert client.recvfrom_into(buffer) == (4, T + "/another-name-of-more-than-14-bytes")
    assert buffer[:4] == b"back"
    client.sendto(b"in two parts", server.getsockname())
    parts = bytearray(3), bytearray(20)
    length, _, _, address = server.recvmsg_into(parts)
    assert (length, address) == (12, b"\0another-long-abstract-name")
    assert parts[0] + parts[1][:9] == b"in two parts"
    client.sendto(b"stays", server.getsockname())
    try:
        server.recvfrom_into(buffer, 11)
        raise AssertionError
    except ValueError:
        assert server.recvfrom(10)[0] == b"stays"


def test_large_numbers():
    """module: a descriptor beyond those that select() knows may have a timeout."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))
    here, there = runix.socketpair()
    number = fcntl.fcntl(here, fcntl.F_DUPFD_CLOEXEC, 2000)
    with runix.socket(fileno=number) as large:
        large.settimeout(20)
        there.send(b"x")
        assert large.recvmsg(5)[0] == b"x"
        large.settimeout(0.01)
        try:
            large.recvmsg(5)
            raise AssertionError
        except TimeoutError:
            pass


def test_descriptors():
    """module: descriptors are passed, with and without a name."""
    reader, writer = os.pipe()
    here, there = runix.socketpair()
    socket.send_fds(here, [b"x"], [writer])
    data, fds, _, _ = socket.recv_fds(there, 10, 4)
    assert data == b"x" and len(fds) == 1
    os.write(fds[0], b"through")
    assert os.read(reader, 10) == b"through"
    receiver = runix.socket(socket.SOCK_DGRAM)
    receiver.bind(T + "/receiver")
    sender = runix.socket(socket.SOCK_DGRAM)
    rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writer, reader, writer])
    assert sender.sendmsg([b"a", b"b"], [rights], 0, T + "/receiver") == 2
    data, fds, _, address = socket.recv_fds(receiver, 10, 4)
    assert (data, len(fds), address) == (b"ab", 3, "")
    os.write(fds[2], b"again")
    assert os.read(fds[1], 10) == b"again"


def test_errors():
    """module: errors are those of the system."""
    try:
        runix.connect(T + "/nothing")
        raise AssertionError
    except FileNotFoundError:
        pass
    try:
        runix.socket().bind("x" * 200)
        raise AssertionError
    except OSError as error:
        assert "too long" in str(error)


if __name__ == "__main__":
    run_all(globals())
