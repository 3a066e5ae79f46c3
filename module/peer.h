/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_PEER_H
#define MBX_PEER_H

#include <linux/types.h>

struct mbx_box;
struct pid;

/**
 * DOC: peer
 *
 * The process that a receiver wants a message from. The module holds its struct pid,
 * so a number that is used again never stands for another process.
 */

bool mbx_peer_has_ended(struct pid *peer);
struct pid *mbx_peer_find(struct mbx_box *box, u64 nr);

#endif /* MBX_PEER_H */
