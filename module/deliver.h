/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_DELIVER_H
#define MBX_DELIVER_H

#include <linux/types.h>

struct mbx_box;
struct mbx_message;
struct mbx_share;
struct mbx_waiter;

/**
 * DOC: deliver
 *
 * A message that is accepted gets its number and is counted; then it is handed to the
 * receiver that has waited longest for such a message, or it is queued.
 */

bool mbx_may_be_received(const struct mbx_message *msg);
struct mbx_waiter *mbx_waiting_receiver_locked(const struct mbx_box *box,
					       const struct mbx_message *msg);
void mbx_hand_over_locked(struct mbx_box *box, struct mbx_message *msg,
			  struct mbx_waiter *receiver);
void mbx_enqueue_locked(struct mbx_box *box, struct mbx_message *msg, bool returned);
void mbx_deliver_locked(struct mbx_box *box, struct mbx_message *msg, bool returned);
void mbx_number_locked(struct mbx_box *box, struct mbx_message *msg);
void mbx_count_sent_locked(struct mbx_box *box, struct mbx_message *msg);
void mbx_accept_locked(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share);

#endif /* MBX_DELIVER_H */
