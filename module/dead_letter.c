// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/refcount.h>

#include "dead_letter.h"
#include "enter.h"
#include "files.h"
#include "mailbox.h"
#include "receipt.h"
#include "share.h"

/* Return: true if the mailbox has it now. */
static bool bury(struct mbx_box *to, struct mbx_message *msg)
{
	struct mbx_share *share;
	s64 ret;

	if (!to || (to->fixed_size && msg->length != READ_ONCE(to->message_size)))
		return false;
	if (msg->files && mbx_files_enter(msg->files, to))
		return false;
	share = mbx_box_share_get(to, msg->charge.user);
	if (IS_ERR(share))
		return false;
	msg->deliveries = 0;
	msg->state |= MBX_IS_DEAD_LETTER;
	/* Not mbx_box_lock_fresh(), which may bury what expires there, and so on. */
	spin_lock(&to->lock);
	ret = mbx_enter_locked(to, msg, share, NULL, 0, true);
	spin_unlock(&to->lock);
	mbx_box_share_put(to, share);
	return ret > 0;
}

/**
 * mbx_dead_letter_bury() - move dead letters to their mailbox
 * @box: where they come from, in no book any more but counted as moved
 * @dead: a list of them
 *
 * Context: Process context, may sleep.
 */
void mbx_dead_letter_bury(struct mbx_box *box, struct mbx_message *dead)
{
	struct mbx_message *msg, *receipt, *spent = NULL;
	struct mbx_box *to;
	bool moved;
	u32 end;

	if (!dead)
		return;
	spin_lock(&box->lock);
	to = box->dead_letter;
	if (to)
		refcount_inc(&to->refs);
	spin_unlock(&box->lock);
	while (dead) {
		msg = dead;
		dead = msg->next;
		/* For its receipt it ends here: it is another message there. */
		receipt = mbx_receipt_detach(msg);
		moved = bury(to, msg);
		if (moved && !receipt)
			continue;
		spin_lock(&box->lock);
		end = moved ? MAILBOX_END_DEAD : MAILBOX_END_DROPPED;
		if (receipt)
			mbx_receipt_tell_locked(receipt, end, &spent);
		if (!moved) {
			box->dead--;
			box->dropped++;
			mbx_box_drop_locked(box, msg, &spent);
		}
		spin_unlock(&box->lock);
	}
	mbx_spent_free(spent);
	mbx_box_put(to);
}
