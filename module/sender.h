/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_SENDER_H
#define MBX_SENDER_H

struct file;
struct mbx_call;

/**
 * DOC: sender
 *
 * Who has sent a message, asked by somebody who holds it under a lease. The message has a
 * reference to the struct pid of its sender: that does not keep the number, but tells for
 * certain whether its process still has it.
 */

int mbx_sender(struct file *file, struct mbx_call *call);

#endif /* MBX_SENDER_H */
