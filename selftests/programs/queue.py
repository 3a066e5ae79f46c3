# SPDX-License-Identifier: GPL-2.0
"""A queue as sysv_ipc has it: what is made, sent, chosen by type, told of itself, and removed."""

import os
import sysv_ipc

KEY = 0x6d626f78

queue = sysv_ipc.MessageQueue(KEY, sysv_ipc.IPC_CREX, mode=0o600, max_message_size=4096)
try:
    sysv_ipc.MessageQueue(KEY, sysv_ipc.IPC_CREX)
    print("made twice")
except sysv_ipc.ExistentialError:
    print("there already")

same = sysv_ipc.MessageQueue(KEY)
print("same:", same.id == queue.id, "mode:", oct(queue.mode), "owner:", queue.uid == os.geteuid())

for number, kind in enumerate((3, 1, 2, 1)):
    same.send("message %d" % number, type=kind)
print("waiting:", queue.current_messages, "last sender is this:", queue.last_send_pid == os.getpid())

print("of type 2:", queue.receive(type=2))
print("lowest up to 3:", queue.receive(type=-3))
print("first:", queue.receive())
print("rest:", queue.receive(block=False))
try:
    queue.receive(block=False)
    print("one too many")
except sysv_ipc.BusyError:
    print("empty")

queue.max_size = 100
queue.mode = 0o640
print("bytes:", queue.max_size, "mode:", oct(same.mode))
same.send(b"x" * 100)
try:
    same.send(b"y", block=False)
    print("beyond its bytes")
except sysv_ipc.BusyError:
    print("full")

queue.remove()
try:
    same.send("late")
    print("sent to nobody")
except OSError as error:
    print("removed:", error.strerror)
