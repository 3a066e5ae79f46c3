#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# SysV messages: each program selftests/ipc/msg_*.c over the kernel's own queues, and over
# mailboxes.

# As they are where nobody has changed them; a bench has, perhaps.
echo 8192 >/proc/sys/kernel/msgmax
echo 16384 >/proc/sys/kernel/msgmnb
echo 32000 >/proc/sys/kernel/msgmni

# For mailbox_msg_quota, which root is not bound by.
export QUOTA_MESSAGES=5000 QUOTA_MAILBOXES=200
if [ -e /sys/module/mailbox/parameters ]; then
	echo $QUOTA_MESSAGES >/sys/module/mailbox/parameters/max_messages_per_user
	echo $QUOTA_MAILBOXES >/sys/module/mailbox/parameters/max_mailboxes_per_user
fi

part=msg
# shellcheck source=ipc/twice.sh
. "$(dirname "$(readlink -f "$0")")/ipc/twice.sh"
