/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_MAILBOX_H
#define MBX_MAILBOX_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/linux/mailbox.h>

#include "loan.h"
#include "message.h"
#include "queue.h"
#include "quota.h"
#include "region.h"
#include "share.h"
#include "stash.h"

struct mbx_domain;
struct mbx_lanes;
struct mbx_notify;
struct user_namespace;

/**
 * DOC: mailbox
 *
 * A mailbox (in the code: a box) owns a queue of messages, the lists of those who
 * wait at it, and its limits and counters. It keeps the books; the verbs send and
 * receive move messages through it.
 *
 * References are held by the domain while the mailbox can be found, by each handle,
 * and by calls that look at it. It *closes* once, when it is destroyed or its last
 * handle goes; from then on every call fails with EIDRM, and only memory is left.
 */

/**
 * struct mbx_box - a mailbox
 * @id: in its domain; constant after reserve
 * @name: NUL-terminated, perhaps empty; its own memory (guarded by the domain lock)
 * @domain: where it is, with a reference; constant after reserve
 * @refs: see above
 * @by_name: place among the names (guarded by the domain lock)
 * @published: it can be found (guarded by the domain lock)
 * @handles: how many are open (guarded by the domain lock)
 * @permanent: it stays without handles (written under the domain lock and @lock)
 * @mode: permission bits (guarded by the domain lock)
 * @uid: owner (guarded by the domain lock)
 * @gid: group (guarded by the domain lock)
 * @user_ns: of the creator, with a reference; constant
 * @charge: the creator's, for the mailbox; constant
 * @region: its shared pages
 * @lanes: its lanes; set once, by the first that asks for any, without a lock
 * @loans: what is lent of them (guarded by @lock)
 * @created: when, CLOCK_MONOTONIC ns; constant
 * @changed: when a SET last succeeded, or @created (guarded by the domain lock)
 * @creator_uid: owner when it was made; constant
 * @creator_gid: group when it was made; constant
 * @policy: enum mailbox_policy; constant
 * @capacity: enum mailbox_capacity; constant
 * @max_deliveries: see struct mailbox_create; constant
 * @dead_letter: where dead letters go, with a reference, or NULL; set before it is published,
 *	NULL again once @closed (guarded by @lock)
 * @fixed_size: every message has @message_size bytes; constant
 * @message_size: longest message; written under @lock, read without it as a hint
 * @leaving: held by who takes a process out of @holders because of the descriptors it
 *	has, see policy.c; outside @lock
 * @lock: guards all below; inside the domain lock, outside wait-queue locks
 * @closed: set once, never cleared
 * @on_full: enum mailbox_on_full
 * @share: most that one sending user may take up, percent
 * @max_messages: of a bounded mailbox
 * @max_bytes: of a bounded mailbox
 * @room_messages: @max_messages; U64_MAX when unbounded; 0 at a rendezvous, once @closed,
 *	when the other of a pair has left, and of a broadcast, whose sends make room
 * @room_bytes: likewise
 * @queue: messages to be received
 * @stash: spent messages
 * @shares: what sending users take up
 * @receivers: waiters, oldest first
 * @peekers: waiters that want to look, oldest first
 * @claimants: waiters for the right to receive, oldest first
 * @holders: processes with a place, see policy.h: two of a pair, or the one that may
 *	receive; NULL where the place is free
 * @opens: how often a handle has got its descriptor, where there is a policy
 * @was_pair: both places of a pair have been taken
 * @senders: waiters with a message that has no room, oldest first
 * @meetings: senders at a rendezvous, oldest first; their messages are published, or
 *	were claimed when they stood among @senders
 * @answered: senders that wait for their receipts, or answers
 * @last_turn: of the last sender that got in line
 * @admit_pass: how often waiting senders were gone through
 * @nr_receivers: calls that wait to receive or peek
 * @nr_senders: calls that wait to send
 * @nr_waiting: 0 when both are
 * @leases: leased messages
 * @leased: how many
 * @leased_bytes: payload bytes of these
 * @promised: receipts that are to come, counted in @messages
 * @promised_bytes: payload bytes of these
 * @last_lease: number of the last lease
 * @grants: handles that were derived, by the numbers of their grants
 * @tops: those of them that come from a handle that was opened, in the order they came
 * @last_grant: number of the last grant
 * @messages: counted messages: queued, leased, promised, or claimed and being copied out
 * @bytes: payload bytes of these
 * @last_sequence: number of the last message
 * @sent: counter, see struct mailbox_stat
 * @received: counter
 * @expired: counter
 * @overwritten: counter
 * @redelivered: counter
 * @dead: counter
 * @dropped: counter
 * @last_sent: time
 * @last_received: time; of a message whose @received_tick is set, when that was sent
 * @received_tick: jiffies when the last message was received, bit 0 set; 0 once
 *	@last_received says it
 * @last_sender: with a reference, or NULL
 * @last_receiver: with a reference, or NULL
 * @lenient: subscribers of a broadcast that may miss messages, by cursor
 * @strict: those that are cut off when they do
 * @subscribers: how many both are
 * @with_files: messages that have files, on their way in too, and until they are freed
 * @may_receive: handles with the right to receive
 * @may_send: handles with the right to send
 * @streaming: reads of bytes that have a message claimed, or were handed one
 * @receivers_opened: how often there was one more in @may_receive (written under @lock, read
 *	without it as a hint)
 * @senders_opened: how often there was one more in @may_send
 * @poll: poll and epoll, and what notify.h says
 * @exclusive: the one of these that is there exclusively, or NULL (guarded by the lock of @poll)
 * @expire_work: drops expired messages, so that waiting senders get in
 */
struct mbx_box {
	u64 id;
	char *name;
	struct mbx_domain *domain;
	refcount_t refs;
	struct rb_node by_name;
	bool published;
	bool permanent;
	u16 mode;
	u32 handles;
	kuid_t uid;
	kgid_t gid;
	struct user_namespace *user_ns;
	struct mbx_charge charge;
	struct mbx_region region;
	struct mbx_lanes *lanes;
	u64 created;
	u64 changed;
	kuid_t creator_uid;
	kgid_t creator_gid;
	u32 policy;
	u32 capacity;
	u32 message_size;
	u32 max_deliveries;
	struct mbx_box *dead_letter;
	bool fixed_size;
	struct mutex leaving;
	struct mbx_loans loans;

	spinlock_t lock ____cacheline_aligned_in_smp;
	bool closed;
	u32 on_full;
	u32 share;
	u64 max_messages;
	u64 max_bytes;
	u64 room_messages;
	u64 room_bytes;
	struct mbx_queue queue;
	struct mbx_stash stash;
	struct rb_root shares;
	struct list_head receivers;
	struct list_head peekers;
	struct list_head claimants;
	const void *holders[2];
	bool was_pair;
	u64 opens;
	struct list_head senders;
	struct list_head meetings;
	struct list_head answered;
	u64 last_turn;
	u64 admit_pass;
	union {
		struct {
			u32 nr_receivers;
			u32 nr_senders;
		};
		u64 nr_waiting;
	};
	struct rb_root leases;
	u64 leased;
	u64 leased_bytes;
	u64 promised;
	u64 promised_bytes;
	u64 last_lease;
	struct rb_root grants;
	struct list_head tops;
	u64 last_grant;
	u64 messages;
	u64 bytes;
	u64 last_sequence;
	u64 sent;
	u64 received;
	u64 expired;
	u64 overwritten;
	u64 redelivered;
	u64 dead;
	u64 dropped;
	u64 last_sent;
	u64 last_received;
	unsigned long received_tick;
	struct pid *last_sender;
	struct pid *last_receiver;
	struct rb_root_cached lenient;
	struct rb_root_cached strict;
	u32 subscribers;
	u32 with_files;
	u32 may_receive;
	u32 may_send;
	u32 streaming;
	u64 receivers_opened;
	u64 senders_opened;
	wait_queue_head_t poll;
	struct mbx_notify *exclusive;
	struct delayed_work expire_work;
};

struct mbx_box *mbx_box_new(const struct mailbox_create *req);
void mbx_box_put(struct mbx_box *box);
void mbx_box_close(struct mbx_box *box);
void mbx_box_set_room_locked(struct mbx_box *box);
u32 mbx_box_rights_locked(const struct mbx_box *box);
bool mbx_box_owned_locked(const struct mbx_box *box);
int mbx_box_check_limits(u32 message_size, u64 max_bytes, u32 on_full, u32 share, u32 capacity,
			 bool new_size);
void mbx_box_stat_locked(struct mbx_box *box, struct mailbox_stat *stat);

struct mbx_share *mbx_box_share_get(struct mbx_box *box, struct mbx_user *user);
void mbx_box_share_put(struct mbx_box *box, struct mbx_share *share);
bool mbx_box_share_full_locked(const struct mbx_box *box, const struct mbx_share *share,
			       u32 length);
void mbx_box_share_end_locked(struct mbx_box *box, struct mbx_share *share);
bool mbx_box_drop_more_locked(struct mbx_box *box, struct mbx_message *msg, u16 state);

/**
 * mbx_box_drop_locked() - let go of a message that is not in the queue
 * @box: the mailbox
 * @msg: the message, not counted
 * @spent: list to which it is added when it is for the caller to free
 */
static inline void mbx_box_drop_locked(struct mbx_box *box, struct mbx_message *msg,
				       struct mbx_message **spent)
{
	const u16 state = msg->state;

	lockdep_assert_held(&box->lock);
	if (msg->peekers || msg->claimed) {
		msg->dropped = true;
		return;
	}
	msg->dropped = false;
	msg->state = 0;
	if ((likely(!(state & (MBX_HAS_FILES | MBX_HAS_LOAN))) ||
	     mbx_box_drop_more_locked(box, msg, state)) &&
	    !box->closed && mbx_stash_put(&box->stash, msg, spent))
		return;
	msg->next = *spent;
	*spent = msg;
}

/**
 * mbx_message_of() - the message that a queue entry is part of
 * @entry: the entry, or NULL
 * Return: the message, or NULL.
 */
static inline struct mbx_message *mbx_message_of(struct mbx_entry *entry)
{
	return entry ? container_of(entry, struct mbx_message, entry) : NULL;
}

/**
 * mbx_box_has_room_locked() - is there room for one more message?
 * @box: the mailbox
 * @share: of the user that sends it
 * @length: bytes of payload
 * Return: true if so.
 */
static inline bool mbx_box_has_room_locked(const struct mbx_box *box, const struct mbx_share *share,
					   u32 length)
{
	return box->messages < box->room_messages && box->bytes + length <= box->room_bytes &&
	       (likely(box->share == 100) || !mbx_box_share_full_locked(box, share, length));
}

/**
 * mbx_box_waits_when_full() - do senders wait for room?
 * @box: the mailbox, its lock held
 * Return: true if so.
 */
static inline bool mbx_box_waits_when_full(const struct mbx_box *box)
{
	return box->on_full == MAILBOX_ON_FULL_WAIT || box->on_full == MAILBOX_ON_FULL_WAIT_EACH;
}

/**
 * mbx_box_would_have_room_locked() - would there be room without what can be overwritten?
 * @box: the mailbox
 * @length: bytes of payload to be added
 * Return: false when leased messages, and receipts that are to come, take up too much.
 */
static inline bool mbx_box_would_have_room_locked(const struct mbx_box *box, u32 length)
{
	return box->leased + box->promised < box->room_messages &&
	       box->leased_bytes + box->promised_bytes + length <= box->room_bytes;
}

/**
 * mbx_box_count_locked() - count a message against the room
 * @box: the mailbox
 * @msg: the message
 * @share: of the user that sent it
 */
static inline void mbx_box_count_locked(struct mbx_box *box, struct mbx_message *msg,
					struct mbx_share *share)
{
	const u32 length = msg->length;

	lockdep_assert_held(&box->lock);
	box->messages++;
	box->bytes += length;
	share->messages++;
	share->bytes += length;
	msg->share = share;
	msg->state |= MBX_COUNTED;
}

/**
 * mbx_box_uncount_locked() - undo mbx_box_count_locked()
 * @box: the mailbox
 * @msg: the message
 */
static inline void mbx_box_uncount_locked(struct mbx_box *box, struct mbx_message *msg)
{
	struct mbx_share *share = msg->share;
	const u32 length = msg->length;

	lockdep_assert_held(&box->lock);
	box->messages--;
	box->bytes -= length;
	share->messages--;
	share->bytes -= length;
	msg->state &= ~MBX_COUNTED;
	if (unlikely(mbx_share_unused(share)))
		mbx_box_share_end_locked(box, share);
}

/**
 * mbx_box_shorten_locked() - a part of a counted message is no more
 * @box: the mailbox, its lock held
 * @msg: the message, in nobody's reach; others may peek at it
 * @part: how many bytes, from its beginning; it has more
 */
static inline void mbx_box_shorten_locked(struct mbx_box *box, struct mbx_message *msg, u32 part)
{
	lockdep_assert_held(&box->lock);
	box->bytes -= part;
	msg->share->bytes -= part;
	msg->offset = mbx_message_offset_locked(msg) + part;
	msg->state |= MBX_IS_PART;
	/* See mbx_report_put(). */
	WRITE_ONCE(msg->length, msg->length - part);
}

/**
 * mbx_box_received_now_locked() - note when a message is received
 * @box: the mailbox, its lock held
 * @msg: the message
 *
 * To the tick, which costs nothing; asking the clock takes 40 instructions of 800.
 */
static inline void mbx_box_received_now_locked(struct mbx_box *box, const struct mbx_message *msg)
{
	box->last_received = msg->time;
	box->received_tick = jiffies | 1;
}

/**
 * mbx_box_wake_pollers_locked() - tell poll and epoll that something changed
 * @box: the mailbox
 * @events: what may now be so
 *
 * waitqueue_active() needs no barrier here:
 *
 *	poller				waker
 *
 *	add to the wait queue
 *	lock
 *	look at the mailbox
 *	unlock
 *					lock
 *					change the mailbox
 *					waitqueue_active()
 *					unlock
 *
 * Whichever holds the lock first, the other sees what it did before.
 */
static inline void mbx_box_wake_pollers_locked(struct mbx_box *box, __poll_t events)
{
	lockdep_assert_held(&box->lock);
	/*
	 * Under the lock nobody can come in between. Where not everybody may receive, all
	 * are woken: the one that EPOLLEXCLUSIVE chooses may be one that may not.
	 */
	if (unlikely(waitqueue_active(&box->poll)))
		__wake_up(&box->poll, TASK_INTERRUPTIBLE, box->policy == MAILBOX_POLICY_ANY,
			  poll_to_key(events));
}

/**
 * mbx_box_wake_all_pollers_locked() - tell all of them
 * @box: the mailbox
 * @events: what may now be so
 *
 * Also those who are to be woken one at a time for a message.
 */
static inline void mbx_box_wake_all_pollers_locked(struct mbx_box *box, __poll_t events)
{
	lockdep_assert_held(&box->lock);
	__wake_up(&box->poll, TASK_INTERRUPTIBLE, 0, poll_to_key(events));
}

#endif /* MBX_MAILBOX_H */
