# SPDX-License-Identifier: MIT OR GPL-2.0
"""Sockets of the address family AF_RUNIX.

AF_RUNIX is UNIX-domain sockets under another family number. Python's own socket
module makes such a socket, and sends, receives, listens and accepts with it, but
it can't write or read the address of a family that it doesn't know. This module
adds that: a socket() here is a socket.socket whose addresses are those that
Python has for AF_UNIX: a str for a path, bytes that begin with a NUL byte for an
abstract name, "" for none.

    import runix

    with runix.socket() as server:
        server.bind("/tmp/greeting.sock")
        server.listen()
        with runix.connect("/tmp/greeting.sock") as client:
            client.send(b"hello")
            print(server.accept()[0].recv(5))

For asyncio, give it a socket:

    await asyncio.start_server(serve, sock=server)
    await asyncio.open_connection(sock=runix.connect(path))

The kernel module runix has to be loaded.
"""

import ctypes
import os
import select
import socket as _socket

__all__ = ["AF_RUNIX", "SOL_RUNIX", "connect", "socket", "socketpair"]

SOL_RUNIX = 21077

_PATH_MAX = 108


def _family():
    """The family's number: RUNIX_FAMILY, or what the loaded module says, or 18."""
    chosen = os.environ.get("RUNIX_FAMILY")
    if chosen is not None:
        return int(chosen)
    try:
        with open("/sys/module/runix/parameters/family") as file:
            return int(file.read())
    except OSError:
        return 18


AF_RUNIX = _family()

_libc = ctypes.CDLL(None, use_errno=True)


class _Address(ctypes.Structure):
    """struct sockaddr_runix of runix.h, and one byte more: a path that fills the
    address is told with a NUL byte behind it."""

    _fields_ = [("family", ctypes.c_ushort), ("path", ctypes.c_ubyte * (_PATH_MAX + 1))]


def _encode(address):
    """An address as the kernel takes it, and its length."""
    name = os.fsencode(address) if not isinstance(address, (bytes, bytearray)) else bytes(address)
    if name[:1] not in (b"", b"\0"):
        if b"\0" in name:
            raise ValueError("embedded null byte")
        name += b"\0"
    if len(name) > _PATH_MAX:
        raise OSError("AF_RUNIX path too long")
    raw = _Address(AF_RUNIX)
    ctypes.memmove(raw.path, name, len(name))
    return raw, 2 + len(name)


def _decode(raw, length):
    """An address that the kernel wrote, as Python has it for AF_UNIX."""
    name = bytes(raw.path)[:max(length - 2, 0)]
    if name[:1] == b"\0":
        return name
    return os.fsdecode(name.split(b"\0", 1)[0])


class socket(_socket.socket):
    """A socket of AF_RUNIX; what is not described here is as in socket.socket."""

    def __init__(self, type=_socket.SOCK_STREAM, proto=0, fileno=None):
        super().__init__(AF_RUNIX, type, proto, fileno)

    def _call(self, function, *arguments):
        """A call that may fail, or wait: Python's timeouts hold for connect only."""
        if function(self.fileno(), *arguments) < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))

    def _named(self, function):
        raw = _Address()
        length = ctypes.c_uint32(ctypes.sizeof(raw))
        self._call(function, ctypes.byref(raw), ctypes.byref(length))
        return _decode(raw, min(length.value, ctypes.sizeof(raw)))

    def bind(self, address):
        raw, length = _encode(address)
        self._call(_libc.bind, ctypes.byref(raw), length)

    def connect(self, address):
        """Connects. It doesn't wait if there is a timeout, and the queue is full:
        BlockingIOError."""
        raw, length = _encode(address)
        self._call(_libc.connect, ctypes.byref(raw), length)

    def connect_ex(self, address):
        try:
            self.connect(address)
        except OSError as error:
            return error.errno
        return 0

    def getsockname(self):
        return self._named(_libc.getsockname)

    def getpeername(self):
        return self._named(_libc.getpeername)

    def accept(self):
        fd, _ = self._accept()
        sock = socket(self.type, fileno=fd)
        if _socket.getdefaulttimeout() is None and self.gettimeout():
            sock.setblocking(True)
        return sock, sock.getpeername()

    def dup(self):
        sock = socket(self.type, fileno=os.dup(self.fileno()))
        sock.settimeout(self.gettimeout())
        return sock

    def sendto(self, data, *arguments):
        """sendto(data[, flags], address)"""
        *flags, address = arguments
        return self.sendmsg([data], [], *(flags or [0]), address)

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
        if address is None:
            return super().sendmsg(buffers, ancdata, flags)
        if ancdata:
            raise NotImplementedError("connect first, to send ancillary data")
        raw, length = _encode(address)
        data = b"".join(buffers)
        sent = _libc.sendto(self.fileno(), data, ctypes.c_size_t(len(data)), flags,
                            ctypes.byref(raw), length)
        if sent < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return sent

    def recvfrom(self, bufsize, flags=0):
        # Python tells no more than 14 bytes of such an address.
        timeout = self.gettimeout()
        if timeout and not select.select([self], [], [], timeout)[0]:
            raise TimeoutError("timed out")
        data = ctypes.create_string_buffer(bufsize)
        raw = _Address()
        length = ctypes.c_uint32(ctypes.sizeof(raw))
        received = _libc.recvfrom(self.fileno(), data, ctypes.c_size_t(bufsize), flags,
                                  ctypes.byref(raw), ctypes.byref(length))
        if received < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return data.raw[:received], _decode(raw, min(length.value, ctypes.sizeof(raw)))

    def recvmsg(self, *arguments):
        """As in socket.socket, but for the address: use recvfrom() for that."""
        return super().recvmsg(*arguments)[:3] + (None,)


def connect(address, type=_socket.SOCK_STREAM):
    """A socket that is connected to an address."""
    sock = socket(type)
    try:
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def socketpair(type=_socket.SOCK_STREAM):
    """Two sockets that are connected to each other."""
    return tuple(
        socket(type, fileno=sock.detach()) for sock in _socket.socketpair(AF_RUNIX, type))
