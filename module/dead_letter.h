/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_DEAD_LETTER_H
#define MBX_DEAD_LETTER_H

struct mbx_box;
struct mbx_message;

/**
 * DOC: dead letter
 *
 * A message that has come back too often leaves its mailbox: see lease.h. It is moved to
 * another one with no lock held in between, and is nobody's on the way.
 */

void mbx_dead_letter_bury(struct mbx_box *box, struct mbx_message *dead);

#endif /* MBX_DEAD_LETTER_H */
