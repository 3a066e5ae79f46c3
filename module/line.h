/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_LINE_H
#define MBX_LINE_H

#include <linux/list.h>
#include <linux/poll.h>
#include <linux/types.h>

#include "mailbox.h"

struct mbx_handle;
struct mbx_waiter;

/**
 * DOC: line
 *
 * Senders whose messages have no room stand in line, on their own stacks. Whoever frees
 * room publishes the messages for them, in the order the senders came.
 *
 * No message in the line is one that a waiting receiver wants: a sender looks at the
 * receivers before it gets in line, and a receiver looks at the line before it waits.
 * What it finds there it takes as at a rendezvous: the message stays the sender's own,
 * and uncounted, until it has been received; then the sender is done. If the receive
 * fails, the sender is back in its old place.
 */

s64 mbx_line_wait(struct mbx_box *box, struct mbx_message *msg, struct mbx_share *share,
		  struct mbx_handle *handle, u64 deadline);
struct mbx_waiter *mbx_line_find_locked(struct mbx_box *box, const struct mbx_select *select,
					bool calls);
void mbx_line_dismiss_locked(struct mbx_box *box, struct mbx_waiter *waiter, int error);
void mbx_line_take_locked(struct mbx_box *box, struct mbx_waiter *sender);
void mbx_line_return_locked(struct mbx_box *box, struct mbx_message *msg);
bool mbx_line_lets_pass_locked(const struct mbx_box *box, const struct mbx_share *share);
void mbx_line_admit_locked(struct mbx_box *box);
void mbx_look_again_locked(struct mbx_box *box);

/**
 * mbx_may_enter_locked() - may a new message of this length be queued at once?
 * @box: the mailbox, its lock held
 * @share: of the user that sends it
 * @length: bytes of payload
 *
 * There must be room, and nobody may stand in line for it. One whose user has used up
 * its share holds up only those of the same user; with MAILBOX_ON_FULL_WAIT_EACH none holds
 * up another.
 *
 * Return: true if so.
 */
static inline bool mbx_may_enter_locked(const struct mbx_box *box, const struct mbx_share *share,
					u32 length)
{
	return mbx_box_has_room_locked(box, share, length) &&
	       (likely(!box->nr_senders) || mbx_line_lets_pass_locked(box, share));
}

/**
 * mbx_line_moves_locked() - is there enough room to let in those in line?
 * @box: the mailbox, its lock held
 *
 * One at a time would take two context switches for each message: the receiver wakes a
 * sender, which fills the place and sleeps again. So they wait until a sixteenth of the
 * places is free (see enum mailbox_on_full), or somebody wants a message that is not
 * there, and then go on until it is full. Four senders
 * and a receiver at 256 places: 9306 instructions for a message without, 3394 with.
 * With MAILBOX_ON_FULL_WAIT_EACH any room is enough.
 *
 * Return: true if so.
 */
static inline bool mbx_line_moves_locked(const struct mbx_box *box)
{
	return box->nr_receivers || box->on_full == MAILBOX_ON_FULL_WAIT_EACH ||
	       box->messages <= box->room_messages - (box->room_messages >> 4);
}

/**
 * mbx_room_freed_locked() - there is more room than before
 * @box: the mailbox
 *
 * Context: The mailbox lock is held.
 */
static inline void mbx_room_freed_locked(struct mbx_box *box)
{
	lockdep_assert_held(&box->lock);
	if (box->closed)
		return;
	if (unlikely(box->nr_senders) && mbx_line_moves_locked(box))
		mbx_line_admit_locked(box);
	mbx_box_wake_pollers_locked(box, EPOLLOUT | EPOLLWRNORM);
}

#endif /* MBX_LINE_H */
