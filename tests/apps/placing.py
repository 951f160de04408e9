# SPDX-License-Identifier: GPL-2.0
"""Sockets that start on AF_UNIX and are moved when their name is known.

Names that begin with runix are chosen, unless they end with .not."""

import errno
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import sys
import time

from common import in_thread, is_runix, is_unix, run_all

T = sys.argv[1]
SOCK_ASYNC = 0o20000


def new(kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_UNIX, kind)
    assert is_unix(sock)
    return sock


def server(name, kind=socket.SOCK_STREAM):
    sock = new(kind)
    sock.bind(name if name[0] == "\0" else f"{T}/{name}")
    if kind != socket.SOCK_DGRAM:
        sock.listen()
    return sock


def fails(code, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        assert error.errno == code, error
        return
    raise AssertionError("it should fail")


def test_chosen():
    """placing: chosen names go, the others stay."""
    for name in "runix1", "\0runix", "\0runix2":
        assert is_runix(server(name))
    for name in "other", "\0other", "runix.not", "\0runix.not":
        assert is_unix(server(name))
    assert all(map(is_unix, socket.socketpair()))


def test_relative():
    """placing: a relative path is what it stands for."""
    os.chdir(T)
    sock = new()
    sock.bind("runix-relative")
    assert is_runix(sock) and sock.getsockname() == "runix-relative"
    sock = new()
    sock.bind("./other-relative")
    assert is_unix(sock)


def test_connect():
    """placing: clients go where the server is."""
    for name, there in (("runix-connect", is_runix), ("other-connect", is_unix)):
        listener = server(name)
        client = new()
        client.connect(f"{T}/{name}")
        assert there(client)
        client.send(b"x")
        assert listener.accept()[0].recv(1) == b"x"
        fails(errno.EISCONN, client.connect, f"{T}/{name}")


def test_failure():
    """placing: a call that fails leaves the socket as it was."""
    client = new()
    before = os.fstat(client.fileno()).st_ino
    fails(errno.ENOENT, client.connect, T + "/runix-nothing")
    listener = server("runix-closed")
    listener.close()
    fails(errno.ECONNREFUSED, client.connect, T + "/runix-closed")
    fails(errno.EADDRINUSE, client.bind, T + "/runix-closed")
    assert os.fstat(client.fileno()).st_ino == before and is_unix(client)
    os.unlink(T + "/runix-closed")
    server("runix-closed")
    again = server("runix-open")
    client.connect(T + "/runix-open")
    assert is_runix(client)
    again.close()


def test_number_and_flags():
    """placing: number, flags, signals and options are taken along."""
    for blocking, inherited in (True, False), (False, True):
        sock = new()
        fd = sock.fileno()
        sock.setblocking(blocking)
        sock.set_inheritable(inherited)
        fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 50000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 60000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 3, 250000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 7))
        sock.bind(f"{T}/runix-flags-{blocking}")
        assert is_runix(sock) and sock.fileno() == fd
        assert os.get_blocking(fd) == blocking
        assert os.get_inheritable(fd) == inherited
        assert fcntl.fcntl(fd, fcntl.F_GETOWN) == os.getpid()
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 100000
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 120000
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED) == 1
        timeout = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16)
        seconds, micros = struct.unpack("ll", timeout)
        assert seconds == 3 and 240000 <= micros <= 260000, (seconds, micros)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 7)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_UNIX


def test_signals():
    """placing: signals of a socket go on."""
    got = []
    signal.signal(signal.SIGIO, lambda *_: got.append(1))
    sock = new(socket.SOCK_DGRAM)
    fd = sock.fileno()
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
    sock.bind(T + "/runix-signals")
    assert is_runix(sock)
    before = len(got)
    new(socket.SOCK_DGRAM).sendto(b"x", T + "/runix-signals")
    time.sleep(0.2)
    assert len(got) > before


def test_mode():
    """placing: the mode of a socket becomes that of its file."""
    sock = new()
    os.fchmod(sock.fileno(), 0o640)
    sock.bind(T + "/runix-mode")
    mode = stat.S_IMODE(os.stat(T + "/runix-mode").st_mode)
    assert is_runix(sock) and mode == 0o640, oct(mode)


def test_polled():
    """placing: what was polled before it was connected still is."""
    listener = server("runix-polled")
    one, two = select.epoll(), select.epoll()
    client = new()
    one.register(client, select.EPOLLIN | select.EPOLLET)
    two.register(client, select.EPOLLIN)
    two.modify(client, select.EPOLLIN | select.EPOLLRDHUP)
    client.connect(T + "/runix-polled")
    assert is_runix(client)
    connection, _ = listener.accept()
    one.poll(0)
    connection.send(b"x")
    assert one.poll(5) == [(client.fileno(), select.EPOLLIN)]
    assert two.poll(5) == [(client.fileno(), select.EPOLLIN)]
    connection.close()
    assert two.poll(5) == [(client.fileno(), select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP)]
    one.unregister(client)
    # Numbers are used again: what was polled is no concern of the next one.
    fd = client.fileno()
    client.close()
    other = new()
    assert other.fileno() == fd
    other.connect(T + "/runix-polled")
    two.register(other, select.EPOLLIN)


def test_not_polled():
    """placing: what is polled no more stays so."""
    server("runix-unpolled")
    listener = server("runix-unpolled2")
    epoll = select.epoll()
    client = new()
    epoll.register(client, select.EPOLLIN)
    epoll.unregister(client)
    client.connect(T + "/runix-unpolled2")
    listener.accept()[0].send(b"x")
    assert epoll.poll(0.2) == []


def test_polled_before():
    """placing: a number that another socket was polled under is not."""
    listener = server("runix-renumbered")
    epoll = select.epoll()
    blank, polled = new(), new()
    epoll.register(polled, select.EPOLLIN)
    fd = polled.fileno()
    polled.close()
    # Nobody is told of the socket that this puts there.
    os.dup2(blank.fileno(), fd)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=fd)
    client.connect(T + "/runix-renumbered")
    assert is_runix(client)
    listener.accept()[0].send(b"x")
    assert epoll.poll(0.2) == []


def test_datagrams():
    """placing: a datagram goes where its receiver is, and takes its socket along."""
    there = server("runix-datagrams", socket.SOCK_DGRAM)
    here = server("other-datagrams", socket.SOCK_DGRAM)
    sender = new(socket.SOCK_DGRAM)
    for _ in range(3):
        sender.sendto(b"there", T + "/runix-datagrams")
        assert is_runix(sender)
        sender.sendto(b"here", T + "/other-datagrams")
        assert is_unix(sender)
        assert (there.recv(10), here.recv(10)) == (b"there", b"here")
    # One that has a name can't be moved.
    named = server("other-named", socket.SOCK_DGRAM)
    fails(errno.ECONNREFUSED, named.sendto, b"x", T + "/runix-datagrams")
    named.sendto(b"x", T + "/other-datagrams")
    assert here.recv(10) == b"x"


def test_threads():
    """placing: many threads at once."""
    listener = server("runix-threads")
    listener.listen(200)
    problems = []

    def talk():
        try:
            for _ in range(20):
                client = new()
                client.connect(T + "/runix-threads")
                assert is_runix(client)
                assert client.recv(10) == b"hello"
                client.close()
        except BaseException as error:
            problems.append(error)

    def serve():
        while True:
            connection, _ = listener.accept()
            connection.send(b"hello")
            connection.close()

    in_thread(serve)
    threads = [in_thread(talk) for _ in range(8)]
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not problems, problems


def test_fork():
    """placing: a child's sockets are moved as well, and what it inherits."""
    listener = server("runix-fork")
    client = new()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            client.connect(T + "/runix-fork")
            own = new()
            own.connect(T + "/runix-fork")
            client.send(b"a")
            own.send(b"b")
            status = 0 if is_runix(client) and is_runix(own) else 2
        finally:
            os._exit(status)
    data = {listener.accept()[0].recv(1), listener.accept()[0].recv(1)}
    assert data == {b"a", b"b"}
    assert os.waitpid(pid, 0)[1] == 0
    # The parent's own is as it was.
    assert is_unix(client)


def test_no_descriptor_left():
    """placing: no descriptor stays behind."""
    server("runix-left")
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        client = new()
        client.connect(T + "/runix-left")
        client.close()
        client = new()
        fails(errno.ENOENT, client.connect, T + "/runix-nothing")
        client.close()
    assert os.listdir("/proc/self/fd") == before


if __name__ == "__main__":
    keep = []
    real_server = server

    def server(*arguments):
        keep.append(real_server(*arguments))
        return keep[-1]

    run_all(globals())
