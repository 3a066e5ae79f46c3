/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_STREAM_H
#define MBX_STREAM_H

#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/types.h>

#include "handle.h"
#include "mailbox.h"

struct file;

/**
 * DOC: stream
 *
 * A handle that reads a mailbox as bytes. A read claims the first message, copies a part of it
 * out, and puts what is left back to its old place. Nothing is moved in memory: a message knows
 * how many of its bytes were read, so that those who peek at it meanwhile see no other bytes
 * than they saw before.
 *
 * The stream ends for a reader when there is nothing to be received, nobody that may send is
 * left, and no other reader is about to put something back. That somebody has been there at all
 * is told by counts of how often the mailbox was opened: a reader that is there first waits for
 * the first that may send, as open(2) of a FIFO does it. Likewise the other way round.
 */

ssize_t mbx_stream_read(struct file *file, char __user *data, size_t room);
void mbx_stream_announce_locked(struct mbx_handle *handle);
void mbx_stream_tell_end_locked(struct mbx_box *box);
__poll_t mbx_stream_poll_locked(const struct mbx_handle *handle);

/**
 * mbx_stream_is_unheard_locked() - has everybody left that could receive what is sent so?
 * @handle: through which something is sent, or NULL; the lock of its mailbox held, or as a hint
 * Return: true if so; then it fails with EPIPE.
 */
static inline bool mbx_stream_is_unheard_locked(const struct mbx_handle *handle)
{
	return unlikely(handle && handle->stream) && !READ_ONCE(handle->box->may_receive) &&
	       READ_ONCE(handle->box->receivers_opened) != handle->receivers_before;
}

/**
 * mbx_stream_cuts() - what a write(2) sends in one message
 * @handle: a handle
 * @length: bytes to be written; of a stream, no more than a message may have from now on
 * Return: true when that is none, and so nothing is to be sent.
 */
static inline bool mbx_stream_cuts(const struct mbx_handle *handle, u32 *length)
{
	if (likely(!handle->stream))
		return false;
	*length = min(*length, READ_ONCE(handle->box->message_size));
	return !*length && handle->rights & MAILBOX_RIGHT_SEND;
}

#endif /* MBX_STREAM_H */
