/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_BATCH_H
#define MBX_BATCH_H

struct file;
struct mbx_call;

/**
 * DOC: batch
 *
 * Many sends or receives in one entry into the kernel: each is what it would be
 * alone, and the first that fails ends the batch.
 */

int mbx_send_batch(struct file *file, struct mbx_call *call);
int mbx_receive_batch(struct file *file, struct mbx_call *call);

#endif /* MBX_BATCH_H */
