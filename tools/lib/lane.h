/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two ends of a lane share. Not installed.
 */
#ifndef LIBMAILBOX_LANE_H
#define LIBMAILBOX_LANE_H

#include "internal.h"
#include "ring.h"

/* What LANE_OPEN has told about, with its flags. Leaves nothing mapped when it fails. */
int mbx_lane_map(int handle, const struct mailbox_lane_open *lane, struct mbx_ring *ring);
void mbx_lane_unmap(const struct mbx_ring *ring);

/*
 * As the receiver with MAILBOX_LANE_RECEIVE, else as the sender. Where they fail, nobody is there
 * any more to be told, or the lane is gone: what is tried next says so.
 */
void mbx_lane_wake(int handle, uint64_t number, uint32_t flags);
void mbx_lane_end(int handle, uint64_t number, uint32_t flags);

/* How often to look again before the kernel is asked to wait. */
unsigned int mbx_lane_spins(void);

/* Between two looks, for the other thread of this core. */
static inline void mbx_lane_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

#endif /* LIBMAILBOX_LANE_H */
