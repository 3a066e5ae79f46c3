#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# POSIX message queues: each program selftests/ipc/mq_*.c over the kernel's own queues, and over
# mailboxes.

part=mq
# shellcheck source=ipc/twice.sh
. "$(dirname "$(readlink -f "$0")")/ipc/twice.sh"
