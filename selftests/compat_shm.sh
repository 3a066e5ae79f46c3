#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# SysV shared memory: each program selftests/ipc/shm_*.c over the kernel's own segments, and over
# mailboxes.

part=shm
# shellcheck source=ipc/twice.sh
. "$(dirname "$(readlink -f "$0")")/ipc/twice.sh"
