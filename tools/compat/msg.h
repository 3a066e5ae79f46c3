/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of SysV messages share.
 */
#ifndef COMPAT_MSG_H
#define COMPAT_MSG_H

/* Of the kernel's own queues, when they were first asked for. */
struct compat_msg_limits {
	/* Bytes in a message, bytes in a queue, and queues. */
	long max;
	long mnb;
	long mni;
};

const struct compat_msg_limits *compat_msg_limits(void);

#endif /* COMPAT_MSG_H */
