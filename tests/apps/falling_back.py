# SPDX-License-Identifier: GPL-2.0
"""Sockets that start on AF_RUNIX; some services are on AF_UNIX."""

import errno
import os
import select
import socket
import struct
import subprocess
import sys
import time

from common import is_runix, is_unix, run_all

T = sys.argv[1]
SO_INQ = 84


def outside(name, kind):
    """A server that nobody has redirected, which echoes one message."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "RUNIX_"))}
    code = f"""
import socket
s = socket.socket(socket.AF_UNIX, socket.{kind})
s.bind({name!r})
if socket.{kind} == socket.SOCK_STREAM:
    s.listen()
    print('up', flush=True)
    s = s.accept()[0]
    s.send(s.recv(10))
else:
    print('up', flush=True)
    print(s.recv(10).decode(), flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    return process


def test_services():
    """falling back: a service that is on AF_UNIX is found."""
    for name in T + "/service", "\0service":
        process = outside(name, "SOCK_STREAM")
        client = socket.socket(socket.AF_UNIX)
        assert is_runix(client)
        client.setblocking(False)
        epoll = select.epoll()
        epoll.register(client, select.EPOLLIN)
        client.connect(name)
        assert is_unix(client) and not client.getblocking()
        client.send(b"hello")
        assert epoll.poll(20)
        assert client.recv(10) == b"hello"
        assert client.getpeername() == (name if name[0] == "/" else name.encode())
        process.wait(20)


def test_options():
    """falling back: options that no family tells are taken along."""
    process = outside(T + "/options", "SOCK_STREAM")
    client = socket.socket(socket.AF_UNIX)
    client.setsockopt(socket.SOL_SOCKET, SO_INQ, 1)
    client.connect(T + "/options")
    assert is_unix(client)
    client.send(b"hello")
    data, control, _, _ = client.recvmsg(2, 64)
    assert data == b"he" and control == [(socket.SOL_SOCKET, SO_INQ, struct.pack("i", 3))], control
    process.wait(20)


def test_datagrams():
    """falling back: a datagram for a service on AF_UNIX."""
    process = outside(T + "/log", "SOCK_DGRAM")
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    client.sendto(b"logged", T + "/log")
    assert process.stdout.readline() == "logged\n"
    process.wait(20)


def test_nobody():
    """falling back: where there is nobody at all, the socket stays."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(T + "/nobody")
    assert is_runix(listener)
    client = socket.socket(socket.AF_UNIX)
    for _ in range(2):
        try:
            client.connect(T + "/nobody")
            raise AssertionError
        except ConnectionRefusedError:
            pass
    assert is_runix(client)
    listener.listen()
    client.connect(T + "/nobody")
    assert is_runix(client)


def test_system():
    """falling back: the system's services are let alone."""
    os.makedirs("/run/systemd", exist_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    assert is_runix(sock)
    sock.bind("/run/systemd/apps-test")
    assert is_unix(sock)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    client.connect("/run/systemd/apps-test")
    assert is_unix(client)
    client.send(b"READY=1")
    assert sock.recv(10) == b"READY=1"
    os.unlink("/run/systemd/apps-test")


if __name__ == "__main__":
    run_all(globals())
