#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# SysV messages: each program selftests/ipc/msg_*.c over the kernel's own queues, and over
# mailboxes.

# As they are where nobody has changed them; a bench has, perhaps.
echo 8192 >/proc/sys/kernel/msgmax
echo 16384 >/proc/sys/kernel/msgmnb
echo 32000 >/proc/sys/kernel/msgmni

part=msg
# shellcheck source=ipc/twice.sh
. "$(dirname "$(readlink -f "$0")")/ipc/twice.sh"
