#!/usr/bin/env python3
"""Runs a program under a seccomp profile, as a container runtime does: under_seccomp.py PROFILE PROGRAM..."""

import ctypes
import json
import os
import sys

ALLOW = 0x7FFF0000
ERRNO = 0x00050000


def apply(profile):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ERRNO | profile["defaultErrnoRet"]))
    for rule in profile["syscalls"]:
        assert rule["action"] == "SCMP_ACT_ALLOW", rule
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            assert number != -1, f"{name} is no system call"
            added = library.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0)
            assert added == 0, (name, added)
    assert library.seccomp_load(context) == 0


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        apply(json.load(file))
    os.execv(sys.argv[2], sys.argv[2:])
