# SPDX-License-Identifier: GPL-2.0
"""Shared memory as sysv_ipc has it: written in one process, read in another, counted, removed."""

import os
import sysv_ipc

KEY = 0x6d626f79

memory = sysv_ipc.SharedMemory(KEY, sysv_ipc.IPC_CREX, mode=0o600, size=5000)
print("size:", memory.size, "mode:", oct(memory.mode), "attached:", memory.number_attached, flush=True)
memory.write("written before the fork")

child = os.fork()
if child == 0:
    other = sysv_ipc.SharedMemory(KEY)
    print("read:", other.read(23).decode(), "attached:", other.number_attached, flush=True)
    other.write("answer", 4000)
    other.detach()
    os._exit(0)
print("child:", os.waitpid(child, 0)[1])
print("answer:", memory.read(6, 4000).decode(), "attached:", memory.number_attached)
print("made by this:", memory.creator_pid == os.getpid())

reader = sysv_ipc.attach(memory.id, None, sysv_ipc.SHM_RDONLY)
try:
    reader.write("no")
    print("written by a reader")
except OSError:
    print("for reading only")
reader.detach()

memory.remove()
print("still read:", memory.read(7).decode())
memory.detach()
try:
    sysv_ipc.SharedMemory(KEY)
    print("there still")
except sysv_ipc.ExistentialError:
    print("gone")
