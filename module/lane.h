/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_LANE_H
#define MBX_LANE_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/linux/mailbox.h>

#include "quota.h"

struct file;
struct mbx_box;
struct mbx_call;
struct mbx_handle;

/**
 * DOC: lane
 *
 * A lane is a ring in pages that its sender and its receiver map. Messages go through it
 * without the module, which makes the pages, says who may map which of them and how, and lets
 * either side sleep: what the two sides keep to is in DOC: Lanes of the uapi header.
 *
 * The module has pages of its own for it, and no mapping of the data. It writes the first page
 * only, which nobody else can, and never reads it. Of the second and third, which users write, it
 * reads one number each, and believes nothing: it may wake somebody for it, or call a lane
 * readable.
 *
 * References are held by the table of the mailbox while the lane has a place, by the handle of
 * the sender, by calls that look at it, and by the files of its mappings. Each mapping has a file
 * of its own that nobody has a descriptor of; it keeps the lane, and the module loaded, and
 * neither handle nor mailbox.
 */

/**
 * struct mbx_lane - one lane
 * @refs: see above
 * @number: in its mailbox; constant once it has a place
 * @place: in the table; constant likewise
 * @bytes: of the ring; constant
 * @nr_pages: in @pages; constant
 * @charge: of whoever made it, for the memory; constant
 * @state: first page; written under the lock of the lanes
 * @consumer: second page, written by the receiver at any time
 * @producer: third page, written by the sender at any time
 * @pages: all of them; constant
 * @ended: bits of enum mailbox_lane_end (guarded by the lock of the lanes)
 * @told: the receiver knows it: it has it mapped, perhaps (guarded by the lock of the lanes)
 * @sleepers: threads of the sender that wait for room
 * @dead: place among those that the table has let go of (of who has taken it out)
 */
struct mbx_lane {
	refcount_t refs;
	u32 place;
	u64 number;
	u64 bytes;
	unsigned int nr_pages;
	struct mbx_charge charge;
	struct mailbox_lane_state *state;
	const struct mailbox_lane_consumer *consumer;
	const struct mailbox_lane_producer *producer;
	struct page **pages;
	u32 ended;
	bool told;
	wait_queue_head_t sleepers;
	struct list_head dead;
};

/**
 * struct mbx_lanes - the lanes of a mailbox
 * @lock: guards all below; inside the mailbox lock, outside those of wait queues
 * @receiver: the handle that is the receiver of lanes, or NULL; compared, and never followed
 * @opened: number of the newest lane
 * @nr: lanes that have a place (read without the lock by STAT)
 * @places: each with a reference, or NULL
 * @sleepers: threads of the receiver in LANE_WAIT; those that poll are in that of the mailbox
 *
 * Made by the first that says LANE_OPEN, for as long as the memory of the mailbox is there.
 */
struct mbx_lanes {
	spinlock_t lock;
	u32 nr;
	const struct mbx_handle *receiver;
	u64 opened;
	struct mbx_lane *places[MAILBOX_LANES_MAX];
	wait_queue_head_t sleepers;
};

/* Offsets for mmap(2): so much for each place, the upper half of it for the receiver. */
#define MBX_LANE_OFFSET	  MAILBOX_REGION_SIZE_MAX
#define MBX_LANE_STRIDE	  BIT_ULL(32)
#define MBX_LANE_RECEIVER BIT_ULL(31)

/**
 * mbx_lane_is_empty() - has all that is in a lane been read?
 * @lane: the lane
 * Return: what its users say, who may lie.
 */
static inline bool mbx_lane_is_empty(const struct mbx_lane *lane)
{
	return READ_ONCE(lane->producer->head) == READ_ONCE(lane->consumer->tail);
}

struct mbx_lanes *mbx_lanes_of(const struct mbx_box *box);
struct mbx_lane *mbx_lane_find_locked(struct mbx_lanes *lanes, u64 number);
struct mbx_lane *mbx_lane_own_locked(const struct mbx_handle *handle, const struct mbx_lanes *lanes,
				     u64 number);
int mbx_lane_missing(const struct mbx_handle *handle);
void mbx_lane_put(struct mbx_lane *lane);
void mbx_lane_leave(struct mbx_handle *handle);
void mbx_lanes_close(struct mbx_box *box);
int mbx_lane_open(struct file *file, struct mbx_call *call);
int mbx_lane_close(struct file *file, struct mbx_call *call);

bool mbx_lane_maps(unsigned long pgoff);
int mbx_lane_mmap(struct file *file, struct vm_area_struct *vma);

int mbx_lane_wait(struct file *file, struct mbx_call *call);
int mbx_lane_wake(struct file *file, struct mbx_call *call);
void mbx_lane_wake_receiver_locked(struct mbx_box *box, struct mbx_lanes *lanes);
void mbx_lane_wake_sender_locked(struct mbx_lane *lane);
__poll_t mbx_lane_poll(const struct mbx_handle *handle);

#endif /* MBX_LANE_H */
