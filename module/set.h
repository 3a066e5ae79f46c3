/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_SET_H
#define MBX_SET_H

struct file;
struct mbx_call;

/**
 * DOC: set
 *
 * Changes a live mailbox: what is asked for is filled up with what it is, checked as
 * a whole, and applied at once.
 */

int mbx_handle_set(struct file *file, struct mbx_call *call);

#endif /* MBX_SET_H */
