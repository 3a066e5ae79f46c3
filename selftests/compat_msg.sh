#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# SysV messages: each program selftests/ipc/msg_*.c over the kernel's own queues, and over
# mailboxes.

part=msg
# shellcheck source=ipc/twice.sh
. "$(dirname "$(readlink -f "$0")")/ipc/twice.sh"
