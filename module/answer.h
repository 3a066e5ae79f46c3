/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_ANSWER_H
#define MBX_ANSWER_H

#include <linux/types.h>
#include <linux/uidgid.h>

#include "mailbox.h"
#include "message.h"
#include "policy.h"
#include "receipt.h"

struct mbx_handle;
struct pid_namespace;

/**
 * DOC: answer
 *
 * A caller waits for the end of its message, as one does who waits for a receipt, but what
 * it waits with is on its stack, and the message points to that: so a call allocates and
 * charges nothing but its message. Who answers puts a short answer there, under the lock of
 * the mailbox, and a longer one as a message that is the caller's from then on.
 *
 * The two are apart again, under that lock, when the message ends: answered or not, or
 * because the caller gives up and takes the message back, whoever has it. So while a message
 * says MBX_IS_CALL the stack that it points to is there.
 */

/**
 * struct mbx_answer - a call on its way
 * @receipt: by which it is sent, and waits
 * @pids: as the caller sees processes; constant
 * @room: bytes that the caller has for the answer; constant
 * @truncate: it takes that much of a longer one; constant
 * @length: of the answer
 * @type: of the answer
 * @message: the answer, if it is longer than MBX_INLINE or the caller's to free, or NULL
 * @pid: of who answered, as the caller sees it
 * @tid: of who answered, likewise
 * @uid: of who answered
 * @gid: of who answered
 * @data: a short answer
 *
 * From @length on guarded by the mailbox lock; valid once the caller was told that it was
 * answered.
 */
struct mbx_answer {
	struct mbx_receipt receipt;
	struct pid_namespace *pids;
	u32 room;
	bool truncate;
	u32 length;
	u64 type;
	struct mbx_message *message;
	s32 pid;
	s32 tid;
	kuid_t uid;
	kgid_t gid;
	u8 data[MBX_INLINE] __aligned(8);
};

/**
 * struct mbx_reply - an answer on its way
 * @token: of the call
 * @type: see struct mailbox_reply
 * @from: where it is in user memory
 * @length: bytes there
 * @message: a longer one, copied, or NULL
 * @data: a short one, copied
 */
struct mbx_reply {
	u64 token;
	u64 type;
	const void __user *from;
	u32 length;
	struct mbx_message *message;
	u8 data[MBX_INLINE] __aligned(8);
};

void mbx_answer_init(struct mbx_answer *answer, u32 room, bool truncate);
void mbx_answer_attach(struct mbx_answer *answer, struct mbx_message *msg);
int mbx_answer_wait(struct mbx_answer *answer, struct mbx_handle *handle, u64 deadline);
void mbx_answer_end_locked(struct mbx_message *msg, u32 end);
void mbx_answer_end_unheard(struct mbx_box *box);
int mbx_answer_give(struct mbx_handle *handle, struct mbx_reply *reply);

/**
 * mbx_answer_room_locked() - how long may an answer be?
 * @msg: a call, the lock of its mailbox held
 * Return: bytes, or U32_MAX when it may be as long as it wants.
 */
static inline u32 mbx_answer_room_locked(const struct mbx_message *msg)
{
	return msg->caller->truncate ? U32_MAX : msg->caller->room;
}

/**
 * mbx_answer_is_unheard_locked() - a call that nobody can receive?
 * @box: the mailbox, its lock held
 * @msg: the message
 * Return: true if so.
 */
static inline bool mbx_answer_is_unheard_locked(const struct mbx_box *box,
						const struct mbx_message *msg)
{
	return (msg->state & MBX_IS_CALL) && (!box->may_receive || mbx_policy_alone_locked(box));
}

#endif /* MBX_ANSWER_H */
