# SPDX-License-Identifier: GPL-2.0
"""A service and its clients over D-Bus, on libdbus itself.

It answers a text with the same text. A client sends the writing ends of pipes, and the
service writes into them."""

import ctypes
import os
import sys

dbus = ctypes.CDLL("libdbus-1.so.3")
for name in ("dbus_bus_get", "dbus_connection_pop_message", "dbus_message_new_method_call",
             "dbus_message_new_method_return", "dbus_connection_send_with_reply_and_block"):
    getattr(dbus, name).restype = ctypes.c_void_p

NAME = b"test.Files"
SESSION = 0
METHOD_CALL = 1
UNIX_FD = ord("h")
STRING = ord("s")
COUNT = 5


class Iterator(ctypes.Structure):
    _fields_ = [("space", ctypes.c_byte * 128)]


class Error(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("message", ctypes.c_char_p), ("space", ctypes.c_byte * 32)]


def pointer(value):
    return ctypes.c_void_p(value)


def connect():
    error = Error()
    dbus.dbus_error_init(ctypes.byref(error))
    bus = dbus.dbus_bus_get(SESSION, ctypes.byref(error))
    assert bus, error.message
    assert dbus.dbus_connection_can_send_type(pointer(bus), UNIX_FD), "no descriptors over this bus"
    return bus


def arguments(message):
    """The descriptors in a message."""
    iterator = Iterator()
    dbus.dbus_message_iter_init(pointer(message), ctypes.byref(iterator))
    while dbus.dbus_message_iter_get_arg_type(ctypes.byref(iterator)) == UNIX_FD:
        fd = ctypes.c_int()
        dbus.dbus_message_iter_get_basic(ctypes.byref(iterator), ctypes.byref(fd))
        yield fd.value
        dbus.dbus_message_iter_next(ctypes.byref(iterator))


def string(message):
    """The text in a message, if that is what it begins with."""
    iterator = Iterator()
    dbus.dbus_message_iter_init(pointer(message), ctypes.byref(iterator))
    if dbus.dbus_message_iter_get_arg_type(ctypes.byref(iterator)) != STRING:
        return None
    text = ctypes.c_char_p()
    dbus.dbus_message_iter_get_basic(ctypes.byref(iterator), ctypes.byref(text))
    return text.value


def append(message, kind, *values):
    iterator = Iterator()
    dbus.dbus_message_iter_init_append(pointer(message), ctypes.byref(iterator))
    for value in values:
        assert dbus.dbus_message_iter_append_basic(ctypes.byref(iterator), kind, ctypes.byref(value))


def answer_to(bus, call):
    error = Error()
    dbus.dbus_error_init(ctypes.byref(error))
    reply = dbus.dbus_connection_send_with_reply_and_block(
        pointer(bus), pointer(call), 20000, ctypes.byref(error))
    assert reply, error.message
    dbus.dbus_message_unref(pointer(call))
    return reply


def new_call():
    return dbus.dbus_message_new_method_call(NAME, b"/", NAME, b"Do")


def call(count, size):
    bus = connect()
    for number in range(count):
        message = new_call()
        text = b"%d " % number + b"x" * size
        append(message, STRING, ctypes.c_char_p(text))
        reply = answer_to(bus, message)
        assert string(reply) == text
        dbus.dbus_message_unref(pointer(reply))
    print(f"{count} answers")


def serve():
    bus = connect()
    assert dbus.dbus_bus_request_name(pointer(bus), NAME, 0, None) == 1
    while dbus.dbus_connection_read_write(pointer(bus), -1):
        while message := dbus.dbus_connection_pop_message(pointer(bus)):
            if dbus.dbus_message_get_type(pointer(message)) != METHOD_CALL:
                continue
            for number, fd in enumerate(arguments(message)):
                os.write(fd, f"file {number} through the bus\n".encode())
                os.close(fd)
            reply = dbus.dbus_message_new_method_return(pointer(message))
            if (text := string(message)) is not None:
                append(reply, STRING, ctypes.c_char_p(text))
            dbus.dbus_connection_send(pointer(bus), pointer(reply), None)
            dbus.dbus_connection_flush(pointer(bus))
            dbus.dbus_message_unref(pointer(reply))
            dbus.dbus_message_unref(pointer(message))


def ask():
    bus = connect()
    pipes = [os.pipe() for _ in range(COUNT)]
    message = new_call()
    append(message, UNIX_FD, *(ctypes.c_int(writer) for _, writer in pipes))
    answer_to(bus, message)
    print(f"{COUNT} descriptors sent")
    for reader, writer in pipes:
        os.close(writer)
        print(os.read(reader, 100).decode(), end="")


{"serve": serve, "call": call, "ask": ask}[sys.argv[1]](*map(int, sys.argv[2:]))
