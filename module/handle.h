/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_HANDLE_H
#define MBX_HANDLE_H

#include <linux/list.h>
#include <linux/types.h>

#include "grant.h"
#include "broadcast.h"

struct file;
struct files_struct;
struct mbx_box;
struct mbx_call;
struct mbx_domain;
struct mbx_lane;
struct mbx_notify;
struct mbx_share;
struct poll_table_struct;

/**
 * DOC: handle
 *
 * A handle is an open file on one mailbox, with rights that are fixed when it is
 * opened, or derived from another. Who has the descriptor may use it, whoever opened it,
 * until it is revoked.
 */

/**
 * struct mbx_handle - an open mailbox
 * @box: the mailbox, with a reference; constant
 * @share: of the user that opened it, pinned; NULL without the right to send;
 *	constant
 * @rights: bits of enum mailbox_right; constant
 * @usual: @rights that need no more than a look; 0 where a policy has to be asked, and
 *	once it is @revoked; not to send where it is a @stream (written under the mailbox
 *	lock; read without it: whichever of the two a call sees, it had begun before REVOKE
 *	returned, or not)
 * @revoked: set once, never cleared (written under the mailbox lock; read without it when a
 *	call begins, and again with it where a call begins what lasts)
 * @notify: the eventfd that is told of events, or NULL (guarded by the mailbox lock)
 * @announced: it counts in @may_receive and @may_send of the mailbox (guarded by the mailbox
 *	lock)
 * @stream: it reads bytes; constant
 * @got: it has read some (guarded by the mailbox lock)
 * @senders_before: what @senders_opened of the mailbox was before the first that it could have
 *	met; constant once announced
 * @receivers_before: likewise
 * @leases: messages under a lease that was taken through it (guarded by the mailbox lock)
 * @lane: through which it sends, with a reference, or NULL (guarded by the lock of the lanes)
 * @subscriber: what it has got, where it may receive from a broadcast
 * @departures: how often a process that lives on has closed its last descriptor of it
 *	(guarded by the mailbox lock)
 * @grant: by which it can be revoked, if it was derived from another
 */
struct mbx_handle {
	struct mbx_box *box;
	struct mbx_share *share;
	u32 rights;
	u32 usual;
	bool revoked;
	bool announced;
	bool stream;
	bool got;
	struct mbx_notify *notify;
	u64 senders_before;
	u64 receivers_before;
	u64 leases;
	u64 departures;
	struct mbx_lane *lane;
	struct mbx_grant grant;
	struct mbx_subscriber subscriber;
};

bool mbx_rights_are_valid(u32 rights);
int mbx_handle_refused_locked(const struct mbx_handle *handle);
bool mbx_handle_has_revoked(struct files_struct *holder, const struct mbx_box *box);
bool mbx_handle_held(struct files_struct *holder, const struct mbx_box *box,
		     const struct mbx_handle *handle);
struct file *mbx_handle_open(struct mbx_box *box, u32 rights, u32 flags);
void mbx_handle_announce(struct file *file);
void mbx_handle_forget(struct mbx_box *box);
void mbx_handle_discount_locked(struct mbx_handle *handle);
int mbx_handle_give(struct file *file, int fd, const struct mbx_call *call, size_t known);
struct mbx_handle *mbx_handle_of(struct file *file);

int mbx_handle_stat(struct file *file, struct mbx_call *call);
__poll_t mbx_handle_poll(struct file *file, struct poll_table_struct *table);
int mbx_handle_destroy(struct file *file, struct mbx_call *call);

#endif /* MBX_HANDLE_H */
