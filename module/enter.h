/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_ENTER_H
#define MBX_ENTER_H

#include <linux/types.h>

struct mbx_box;
struct mbx_handle;
struct mbx_message;
struct mbx_share;

/**
 * DOC: enter
 *
 * What a full message and the mailbox make of each other: it is published where there is room,
 * waits in line or at a rendezvous where there is none, goes straight to who waits for it,
 * takes the place of the oldest, or is refused.
 */

s64 mbx_enter_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		     struct mbx_handle *handle, u64 deadline, bool nonblock);

#endif /* MBX_ENTER_H */
