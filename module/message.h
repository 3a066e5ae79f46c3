/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_MESSAGE_H
#define MBX_MESSAGE_H

#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>

#include "queue.h"
#include "quota.h"

struct mbx_answer;
struct mbx_box;
struct mbx_files;
struct mbx_loan;
struct mbx_share;
struct mbx_waiter;
struct page;
struct user_namespace;

/**
 * DOC: message
 *
 * A message is a payload with what the kernel stamps on it. It belongs to the
 * sending call until it is published, then to the mailbox, then to the receiving
 * call that has claimed it. A mailbox keeps spent ones for reuse, see stash.h.
 *
 * The payload is behind the message itself when it is short, in one buffer up to
 * a page, and in single pages beyond. Memory is never cleared: only bytes that a
 * sender wrote are ever copied out.
 */

/* Of a message of MBX_MESSAGE_OBJECT bytes, this much is left for the payload. */
#define MBX_MESSAGE_OBJECT 384
#define MBX_INLINE	   (MBX_MESSAGE_OBJECT - offsetof(struct mbx_message, inline_data))

/**
 * enum mbx_message_state - what is to be remembered of a message
 * @MBX_COUNTED: it counts against the room of the mailbox
 * @MBX_ANSWERED: its sender gets a receipt when it ends
 * @MBX_IS_RECEIPT: it is one
 * @MBX_IS_DEAD_LETTER: its sender has sent it to another mailbox
 * @MBX_IS_CALL: its sender waits for the answer; with MBX_ANSWERED
 * @MBX_MUST_ANSWER: who has it under a lease answers it; it does not go back
 * @MBX_HAS_FILES: it has files
 * @MBX_HAS_LOAN: its payload is a piece of the region
 * @MBX_IS_PART: its first bytes were read already
 */
enum mbx_message_state {
	MBX_COUNTED = 1 << 0,
	MBX_ANSWERED = 1 << 1,
	MBX_IS_RECEIPT = 1 << 2,
	MBX_IS_DEAD_LETTER = 1 << 3,
	MBX_IS_CALL = 1 << 4,
	MBX_MUST_ANSWER = 1 << 6,
	MBX_HAS_FILES = 1 << 5,
	MBX_HAS_LOAN = 1 << 7,
	MBX_IS_PART = 1 << 8,
};

/**
 * struct mbx_message - a message
 * @entry: place in the queue; sequence, type, priority, expiry, sender
 * @time: when it was accepted, CLOCK_MONOTONIC ns; constant once published
 * @process: sender's process, with a reference; constant once published
 * @thread: sender's thread, with a reference; constant once published
 * @uid: sender's effective user; constant once published
 * @gid: sender's effective group; constant once published
 * @length: bytes of payload that are stored with it, and not read yet (changed under the mailbox
 *	lock by who has claimed it; constant in so far as nobody reads bytes)
 * @room: bytes of payload there is memory for; constant
 * @buffer: the payload when @room is more than MBX_INLINE and at most a page
 * @pages: the payload when @room is more than a page
 * @viewer: of a receipt that is to come: the user namespace of who will read it, with a
 *	reference; owner only
 * @loan: with MBX_HAS_LOAN, which has no payload but that (guarded by the mailbox lock)
 * @charge: what its sender is charged for it; owner only
 * @share: where it is counted in its mailbox, if it is (guarded by the mailbox lock)
 * @sender: the sender that waits until it is received, or NULL (guarded by the
 *	mailbox lock); of a receipt that is to come, the sender that waits for it
 * @receipt: with MBX_ANSWERED, what its sender gets (guarded by the mailbox lock)
 * @caller: instead, with MBX_IS_CALL: who waits for the answer (guarded by the mailbox lock)
 * @to: of a receipt that is to come: the mailbox that it goes to, with a reference, or
 *	NULL; owner only
 * @files: with MBX_HAS_FILES, what travels with it; constant once published; NULL in a stash
 * @next: next of a stash or of a list to be freed; owner only
 * @deliveries: how often it was leased and came back (guarded by the mailbox lock)
 * @copies: of a broadcast, how many have got it (guarded by the mailbox lock)
 * @offset: with MBX_IS_PART, bytes of payload before those (as @length)
 * @peekers: calls that copy from it without having claimed it (guarded by the
 *	mailbox lock)
 * @state: bits of enum mbx_message_state; 0 in a stash (guarded by the mailbox lock)
 * @claimed: a receiver has it, it is not in the queue (guarded by the mailbox lock)
 * @leased: a receiver, or nobody for a while, has it under a lease (guarded by the
 *	mailbox lock)
 * @dropped: the last peeker frees it, or the receiver that has claimed it (guarded
 *	by the mailbox lock)
 * @dead: a dead letter, which the last peeker moves (guarded by the mailbox lock)
 * @inline_data: the payload when @room is at most MBX_INLINE
 */
struct mbx_message {
	struct mbx_entry entry;
	u64 time;
	struct pid *process;
	struct pid *thread;
	kuid_t uid;
	kgid_t gid;
	u32 length;
	u32 room;
	union {
		void *buffer;
		struct page **pages;
		struct user_namespace *viewer;
		struct mbx_loan *loan;
	};
	struct mbx_charge charge;
	struct mbx_share *share;
	struct mbx_waiter *sender;
	union {
		struct mbx_message *receipt;
		struct mbx_answer *caller;
		struct mbx_box *to;
	};
	struct mbx_files *files;
	struct mbx_message *next;
	u32 peekers;
	u32 deliveries;
	u32 copies;
	u32 offset;
	u16 state;
	bool claimed;
	bool leased;
	bool dropped;
	bool dead;
	u8 inline_data[] __aligned(8);
};

struct mbx_message *mbx_message_new(struct mbx_user *user, u32 length);
void mbx_message_free(struct mbx_message *msg);
void mbx_message_free_all(struct mbx_message *first);
int mbx_message_copy_in_long(struct mbx_message *msg, const void __user *from, u32 length);
int mbx_message_copy_out(const struct mbx_message *msg, u32 offset, void __user *to, u32 length);

void mbx_message_stamp_pids(struct mbx_message *msg);

int mbx_message_cache_init(void);
void mbx_message_cache_fini(void);

/**
 * mbx_message_room() - what a payload of this length is given
 * @length: bytes
 * Return: bytes; payloads with the same can use each other's memory.
 */
static inline u32 mbx_message_room(u32 length)
{
	if (length <= MBX_INLINE)
		return MBX_INLINE;
	if (length <= PAGE_SIZE)
		return max_t(u32, roundup_pow_of_two(length), 256);
	return round_up(length, PAGE_SIZE);
}

/**
 * mbx_message_offset_locked() - where the payload begins that is left of a message
 * @msg: the message, the lock of its mailbox held, or claimed by the caller
 * Return: bytes.
 */
static inline u32 mbx_message_offset_locked(const struct mbx_message *msg)
{
	return unlikely(msg->state & MBX_IS_PART) ? msg->offset : 0;
}

/*
 * Copying a few words in line saves what copy_from_user() spends on checking the
 * object it copies to (hardened usercopy): 150 instructions of some 1,800. Between
 * user_access_begin() and user_access_end().
 */
#define mbx_unsafe_get_1(to, from, i, fault) \
	unsafe_get_user(((u64 *)(to))[i], (const u64 __user *)(from) + (i), fault)

#define mbx_unsafe_put_1(to, from, i, fault) \
	unsafe_put_user(((const u64 *)(from))[i], (u64 __user *)(to) + (i), fault)

#define mbx_unsafe_get_8(to, from, fault) \
	do { \
		mbx_unsafe_get_1(to, from, 0, fault); \
		mbx_unsafe_get_1(to, from, 1, fault); \
		mbx_unsafe_get_1(to, from, 2, fault); \
		mbx_unsafe_get_1(to, from, 3, fault); \
		mbx_unsafe_get_1(to, from, 4, fault); \
		mbx_unsafe_get_1(to, from, 5, fault); \
		mbx_unsafe_get_1(to, from, 6, fault); \
		mbx_unsafe_get_1(to, from, 7, fault); \
	} while (0)

#define mbx_unsafe_put_8(to, from, fault) \
	do { \
		mbx_unsafe_put_1(to, from, 0, fault); \
		mbx_unsafe_put_1(to, from, 1, fault); \
		mbx_unsafe_put_1(to, from, 2, fault); \
		mbx_unsafe_put_1(to, from, 3, fault); \
		mbx_unsafe_put_1(to, from, 4, fault); \
		mbx_unsafe_put_1(to, from, 5, fault); \
		mbx_unsafe_put_1(to, from, 6, fault); \
		mbx_unsafe_put_1(to, from, 7, fault); \
	} while (0)

#define mbx_unsafe_get_words(to, from, length, fault) \
	do { \
		const u8 __user *from_ = (from); \
		u32 left_ = (length); \
		u8 *to_ = (to); \
\
		for (; left_ >= 64; left_ -= 64) { \
			mbx_unsafe_get_8(to_, from_, fault); \
			to_ += 64; \
			from_ += 64; \
		} \
		for (; left_ >= 8; left_ -= 8) { \
			mbx_unsafe_get_1(to_, from_, 0, fault); \
			to_ += 8; \
			from_ += 8; \
		} \
		for (; left_; left_--, to_++, from_++) \
			unsafe_get_user(*to_, from_, fault); \
	} while (0)

#define mbx_unsafe_put_words(to, from, length, fault) \
	do { \
		const u8 *from_ = (from); \
		u32 left_ = (length); \
		u8 __user *to_ = (to); \
\
		for (; left_ >= 64; left_ -= 64) { \
			mbx_unsafe_put_8(to_, from_, fault); \
			to_ += 64; \
			from_ += 64; \
		} \
		for (; left_ >= 8; left_ -= 8) { \
			mbx_unsafe_put_1(to_, from_, 0, fault); \
			to_ += 8; \
			from_ += 8; \
		} \
		for (; left_; left_--, to_++, from_++) \
			unsafe_put_user(*from_, to_, fault); \
	} while (0)

/**
 * mbx_message_copy_in() - fill the payload
 * @msg: a message with the room for it that mbx_message_room() says, not published
 * @from: user memory
 * @length: bytes
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EINTR when killed.
 */
static __always_inline int mbx_message_copy_in(struct mbx_message *msg, const void __user *from,
					       u32 length)
{
	msg->length = length;
	if (unlikely(length > MBX_INLINE))
		return mbx_message_copy_in_long(msg, from, length);
	/* Where there is nothing to copy, from may be anything. */
	if (!user_access_begin(from, length))
		return length ? -EFAULT : 0;
	mbx_unsafe_get_words(msg->inline_data, from, length, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mbx_message_stamp() - say on a message that current sent it
 * @msg: a message not yet published
 */
static __always_inline void mbx_message_stamp(struct mbx_message *msg)
{
	/* A reused message mostly has the same sender: no reference is touched. */
	if (unlikely(msg->thread != task_pid(current)))
		mbx_message_stamp_pids(msg);
	current_euid_egid(&msg->uid, &msg->gid);
}

#endif /* MBX_MESSAGE_H */
