# SPDX-License-Identifier: GPL-2.0
"""What the tests in Python have in common."""

import ctypes
import os
import subprocess
import sys
import threading
import traceback

libc = ctypes.CDLL(None, use_errno=True)
FAMILY = int(open("/sys/module/runix/parameters/family").read())
AF_UNIX = 1
SYS_GETSOCKOPT = 55
SOL_SOCKET = 1
SO_DOMAIN = 39


def family(sock):
    """The family as the kernel tells it: nobody stands between."""
    value = ctypes.c_int(-1)
    size = ctypes.c_int(4)
    fd = ctypes.c_long(sock if isinstance(sock, int) else sock.fileno())
    result = libc.syscall(
        ctypes.c_long(SYS_GETSOCKOPT), fd, ctypes.c_long(SOL_SOCKET), ctypes.c_long(SO_DOMAIN),
        ctypes.byref(value), ctypes.byref(size))
    assert result == 0
    return value.value


def is_runix(sock):
    return family(sock) == FAMILY


def is_unix(sock):
    return family(sock) == AF_UNIX


def check_listed(path):
    """runixstat knows of a socket of that name, and that it is ours."""
    listed = subprocess.run(["runixstat", "--name", path], capture_output=True, text=True).stdout
    assert f"/{os.getpid()}/" in listed, listed


def run_all(names):
    """Runs the functions that are named test_, or those that the arguments behind the
    first one choose, and tells what came of each."""
    failed = 0
    for name, function in list(names.items()):
        if not name.startswith("test_") or (sys.argv[2:] and name[5:] not in sys.argv[2:]):
            continue
        title = (function.__doc__ or name).strip().rstrip(".")
        try:
            function()
            print("pass", title, flush=True)
        except BaseException:
            traceback.print_exc(file=sys.stdout)
            print("fail", title, flush=True)
            failed += 1
    print("done", flush=True)
    sys.exit(1 if failed else 0)


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread
