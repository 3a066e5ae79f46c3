/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_HANDLE_H
#define MBX_HANDLE_H

#include <linux/types.h>

#include "broadcast.h"

struct file;
struct files_struct;
struct mbx_box;
struct mbx_call;
struct mbx_domain;
struct mbx_notify;
struct mbx_share;

/**
 * DOC: handle
 *
 * A handle is an open file on one mailbox, with rights that are fixed when it is
 * opened. Who has the descriptor may use it, whoever opened it.
 */

/**
 * struct mbx_handle - an open mailbox
 * @box: the mailbox, with a reference; constant
 * @share: of the user that opened it, pinned; NULL without the right to send;
 *	constant
 * @rights: bits of enum mailbox_right; constant
 * @usual: @rights that need no more than a look; 0 where a policy has to be asked; constant
 * @notify: the eventfd that is told of events, or NULL (guarded by the mailbox lock)
 * @announced: it counts in @may_receive and @may_send of the mailbox; constant once open
 * @leases: messages under a lease that was taken through it (guarded by the mailbox lock)
 * @subscriber: what it has got, where it may receive from a broadcast
 * @departures: how often a process that lives on has closed its last descriptor of it
 *	(guarded by the mailbox lock)
 */
struct mbx_handle {
	struct mbx_box *box;
	struct mbx_share *share;
	u32 rights;
	u32 usual;
	struct mbx_notify *notify;
	bool announced;
	u64 leases;
	u64 departures;
	struct mbx_subscriber subscriber;
};

bool mbx_handle_held(struct files_struct *holder, const struct mbx_box *box,
		     const struct mbx_handle *handle);
struct file *mbx_handle_open(struct mbx_box *box, u32 rights, bool nonblock);
void mbx_handle_announce(struct file *file, bool cut_off);
void mbx_handle_forget(struct mbx_box *box);

int mbx_handle_stat(struct file *file, struct mbx_call *call);
int mbx_handle_destroy(struct file *file, struct mbx_call *call);

#endif /* MBX_HANDLE_H */
