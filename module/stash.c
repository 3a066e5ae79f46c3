// SPDX-License-Identifier: GPL-2.0-only
#include "message.h"
#include "quota.h"
#include "stash.h"

/* What any mailbox keeps, beside the spare. */
#define FEW_NR 8

/* How many are looked at for one that fits. */
#define LOOK_NR 8

static bool fits(const struct mbx_stash *stash, const struct mbx_message *msg)
{
	if (stash->nr < FEW_NR && msg->room <= MBX_INLINE)
		return true;
	return stash->keeper == msg->charge.user && stash->nr < MBX_KEEP_NR &&
	       stash->bytes + msg->charge.bytes <= MBX_KEEP_BYTES;
}

/**
 * mbx_stash_add() - keep a spent message that may not fit
 * @stash: where, its owner's lock held
 * @msg: the message
 * @spent: list to which others are added that have to make way
 *
 * The sizes that pass now are worth more than those that passed earlier.
 *
 * Return: true if it was kept; else it is still the caller's.
 */
bool mbx_stash_add(struct mbx_stash *stash, struct mbx_message *msg, struct mbx_message **spent)
{
	if (!fits(stash, msg)) {
		if (msg->charge.bytes > MBX_KEEP_BYTES)
			return false;
		if (!stash->keeper && mbx_keep_begin(msg->charge.user))
			stash->keeper = msg->charge.user;
		if (mbx_stash_lacks_spare(stash, msg)) {
			mbx_stash_put_spare(stash, msg);
			return true;
		}
	}
	if (stash->nr == FEW_NR && !mbx_keep_more(msg->charge.user))
		return false;
	while (!fits(stash, msg)) {
		struct mbx_message *old;

		if (!stash->first || stash->keeper != msg->charge.user)
			return false;
		old = mbx_stash_pop(stash);
		old->next = *spent;
		*spent = old;
	}
	msg->next = stash->first;
	stash->first = msg;
	stash->nr++;
	stash->bytes += msg->charge.bytes;
	return true;
}

/**
 * mbx_stash_find() - take a message that fits
 * @stash: where, its owner's lock held
 * @user: who must be charged for it already
 * @room: bytes of payload it must have room for, as mbx_message_room() has it
 * Return: the message, to be filled and stamped anew, or NULL.
 */
struct mbx_message *mbx_stash_find(struct mbx_stash *stash, struct mbx_user *user, u32 room)
{
	struct mbx_message **at, *msg;
	int nr = 0;

	for (at = &stash->first; (msg = *at) && nr < LOOK_NR; at = &msg->next, nr++) {
		if (msg->charge.user != user || msg->room != room)
			continue;
		*at = msg->next;
		stash->nr--;
		stash->bytes -= msg->charge.bytes;
		return msg;
	}
	return NULL;
}

/**
 * mbx_stash_empty() - take all kept messages
 * @stash: where, its owner's lock held
 * Return: the first of them, chained by @next, or NULL.
 */
struct mbx_message *mbx_stash_empty(struct mbx_stash *stash)
{
	struct mbx_message *first = stash->first, *spare = mbx_stash_take(stash);

	if (spare) {
		spare->next = first;
		first = spare;
	}
	if (stash->keeper)
		mbx_keep_end(stash->keeper);
	stash->first = NULL;
	stash->nr = 0;
	stash->bytes = 0;
	stash->keeper = NULL;
	return first;
}
