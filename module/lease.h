/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_LEASE_H
#define MBX_LEASE_H

#include <linux/types.h>

struct file;
struct mbx_box;
struct mbx_call;
struct mbx_handle;
struct mbx_message;

/**
 * DOC: lease
 *
 * A leased message is not in the queue, and is counted as if it were. It stands among
 * the leases of its mailbox, in order of handle, holder and number, so that all leases
 * of a holder are found when it leaves; and, when its lease ends some time, among what
 * expires.
 *
 * The holder is a table of descriptors, as the owner of a record lock is: the kernel
 * calls handle_flush() whenever a descriptor is taken out of one, also when a process
 * ends, whatever others have descriptors of the same handle. Should a descriptor be
 * closed while a receive through it is at work, the receive finds out at its end:
 * see mbx_lease_check_holder().
 */

/**
 * struct mbx_lessee - a receive that wants a lease
 * @handle: the handle
 * @time: nanoseconds, or 0
 * @number: of the lease, once the message is claimed
 */
struct mbx_lessee {
	struct mbx_handle *handle;
	u64 time;
	u64 number;
};

void mbx_lease_begin_locked(struct mbx_box *box, struct mbx_message *msg,
			    const struct mbx_lessee *lessee);
void mbx_lease_over_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_message **spent,
			   struct mbx_message **dead);
void mbx_lease_end_locked(struct mbx_box *box, struct mbx_message *msg);
void mbx_lease_done_locked(struct mbx_box *box, struct mbx_message *msg,
			   struct mbx_message **spent);
struct mbx_message *mbx_lease_any_locked(struct mbx_box *box);
struct mbx_message *mbx_lease_find_locked(struct mbx_handle *handle, u64 number);

void mbx_lease_leave(struct mbx_handle *handle, const void *holder);
void mbx_lease_flush(struct mbx_handle *handle, void *holder);
void mbx_lease_check_holder(struct mbx_handle *handle);

int mbx_lease_ack(struct file *file, struct mbx_call *call);
int mbx_lease_nack(struct file *file, struct mbx_call *call);
int mbx_lease_extend(struct file *file, struct mbx_call *call);

#endif /* MBX_LEASE_H */
