/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_SPENT_H
#define MBX_SPENT_H

struct mbx_box;
struct mbx_message;

/**
 * DOC: spent
 *
 * Messages that have ended, and for which the mailbox has no use any more, are chained under
 * its lock and freed without it. Receipts among them are delivered then: see receipt.h.
 */

void mbx_spent_free(struct mbx_message *spent);
void mbx_spent_flush(struct mbx_box *box, struct mbx_message **spent);

#endif /* MBX_SPENT_H */
