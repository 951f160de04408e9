# SPDX-License-Identifier: MIT OR GPL-2.0
"""Sockets of the address family AF_RUNIX.

AF_RUNIX is UNIX-domain sockets under another family number. Python's own socket
module makes such a socket, and sends, receives and listens with it, but refuses
each call in which the address of a family that it doesn't know is written or read
("bad family"), accept() among them. This module makes those calls by ctypes: a
socket() here is a socket.socket whose addresses are those that Python has for
AF_UNIX: a str for a path, bytes that begin with a NUL byte for an abstract name,
"" for none.

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
import errno
import os
import select
import socket as _socket
import struct

__all__ = ["AF_RUNIX", "SOL_RUNIX", "connect", "socket", "socketpair"]

SOL_RUNIX = 21077

_PATH_MAX = 108

# MSG_CMSG_CLOEXEC: as all of Python's descriptors, those that are received stay here.
_CLOEXEC = 0x40000000


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


class _Slice(ctypes.Structure):
    """struct iovec"""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct msghdr"""

    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32),
                ("slices", ctypes.c_void_p), ("count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


def _message(raw, raw_length, data, control):
    """The header of a message, and what it points to and so has to be kept."""
    part = _Slice(ctypes.addressof(data), len(data))
    return _Message(ctypes.addressof(raw), raw_length, ctypes.addressof(part), 1,
                    ctypes.addressof(control), len(control)), part


# struct cmsghdr; what follows it begins, and ends, at a multiple of its first member.
_CONTROL = struct.Struct("@Nii")
_ALIGNMENT = struct.calcsize("@N")


def _aligned(length):
    return -(-length // _ALIGNMENT) * _ALIGNMENT


def _encode_control(ancdata):
    control = b""
    for level, kind, data in ancdata:
        data = bytes(data)
        control += _CONTROL.pack(_CONTROL.size + len(data), level, kind) + data
        control += bytes(_aligned(len(control)) - len(control))
    return control


def _decode_control(control):
    ancdata, at = [], 0
    while at + _CONTROL.size <= len(control):
        length, level, kind = _CONTROL.unpack_from(control, at)
        if length < _CONTROL.size:
            break
        ancdata.append((level, kind, control[at + _CONTROL.size:at + length]))
        at += _aligned(length)
    return ancdata


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
        """A call, made once more where a signal has interrupted it."""
        while (result := function(self.fileno(), *arguments)) < 0:
            error = ctypes.get_errno()
            if error != errno.EINTR:
                raise OSError(error, os.strerror(error))
        return result

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

    def _wait(self):
        """Until there is something to receive, where there is a timeout."""
        timeout = self.gettimeout()
        if timeout:
            poll = select.poll()
            poll.register(self, select.POLLIN)
            if not poll.poll(timeout * 1000):
                raise TimeoutError("timed out")

    def accept(self):
        self._wait()
        fd = self._call(_libc.accept4, None, None, _socket.SOCK_CLOEXEC)
        sock = socket(self.type, fileno=fd)
        return sock, sock.getpeername()

    def dup(self):
        sock = socket(self.type, fileno=os.dup(self.fileno()))
        sock.settimeout(self.gettimeout())
        return sock

    def sendto(self, data, *arguments):
        """sendto(data[, flags], address). It doesn't wait if there is a timeout, and
        the receiver is full: BlockingIOError."""
        *flags, address = arguments
        return self.sendmsg([data], [], *(flags or [0]), address)

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
        if address is None:
            return super().sendmsg(buffers, ancdata, flags)
        raw, length = _encode(address)
        data = b"".join(buffers)
        data = (ctypes.c_char * len(data)).from_buffer_copy(data)
        control = _encode_control(ancdata)
        control = (ctypes.c_char * len(control)).from_buffer_copy(control)
        message, _kept = _message(raw, length, data, control)
        return self._call(_libc.sendmsg, ctypes.byref(message), flags)

    def recvfrom(self, bufsize, flags=0):
        data, _, _, address = self.recvmsg(bufsize, 0, flags)
        return data, address

    def recvfrom_into(self, buffer, nbytes=0, flags=0):
        view = memoryview(buffer).cast("B")
        if nbytes > len(view):
            raise ValueError("nbytes is greater than the length of the buffer")
        data, address = self.recvfrom(nbytes or len(view), flags)
        view[:len(data)] = data
        return len(data), address

    def recvmsg_into(self, buffers, ancbufsize=0, flags=0):
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        data, ancdata, msg_flags, address = self.recvmsg(sum(map(len, views)), ancbufsize, flags)
        at = 0
        for view in views:
            part = data[at:at + len(view)]
            view[:len(part)] = part
            at += len(part)
        return len(data), ancdata, msg_flags, address

    def recvmsg(self, bufsize, ancbufsize=0, flags=0):
        self._wait()
        raw = _Address()
        data = (ctypes.c_char * bufsize)()
        control = (ctypes.c_char * ancbufsize)()
        message, _kept = _message(raw, ctypes.sizeof(raw), data, control)
        received = self._call(_libc.recvmsg, ctypes.byref(message), flags | _CLOEXEC)
        return (data.raw[:min(received, bufsize)],
                _decode_control(control.raw[:message.control_length]), message.flags,
                _decode(raw, min(message.name_length, ctypes.sizeof(raw))))


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
