/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_EXCHANGE_H
#define MBX_EXCHANGE_H

#include <linux/types.h>

struct file;
struct mailbox_receive;
struct mailbox_send;

/**
 * DOC: exchange
 *
 * The border of the hot path: reads struct mailbox_send and struct mailbox_receive
 * from user memory member by member, and calls the verbs.
 */

/**
 * struct mbx_patience - how long the entries of a batch wait
 * @deadline: CLOCK_MONOTONIC ns, or MBX_FOREVER
 * @nonblock: do not wait
 */
struct mbx_patience {
	u64 deadline;
	bool nonblock;
};

int mbx_exchange_send(struct file *file, struct mailbox_send __user *arg,
		      const struct mbx_patience *batch);
int mbx_exchange_receive(struct file *file, struct mailbox_receive __user *arg,
			 const struct mbx_patience *batch);

#endif /* MBX_EXCHANGE_H */
