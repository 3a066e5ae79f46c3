/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_FILES_H
#define MBX_FILES_H

#include <linux/types.h>
#include <uapi/linux/mailbox.h>

#include "message.h"
#include "quota.h"

struct file;
struct mbx_box;

/**
 * DOC: files
 *
 * Open files that travel in a message. They hang on it, with a charge of their own, from
 * before it is sent until its memory is freed: so no end of a message can forget them. Such a
 * message is not kept for reuse, and it is always freed without a lock.
 *
 * A receiver gets duplicates. For these, descriptors are reserved and told while the message
 * is claimed, or copied by one of the receivers of a broadcast; and installed, which cannot
 * fail, when it has been received. Nobody can use a reserved descriptor, so where the receive
 * fails, nobody has seen the files.
 *
 * Sockets, among others, keep their network namespace. A permanent mailbox ends with its own
 * one, and so would never: with that go no files, see mbx_files_enter().
 *
 * receive_fd(), which the kernel has for modules, installs at once: a receive that failed
 * later would have to close what another thread may have duplicated or replaced by then.
 */

/**
 * struct mbx_files - files in flight
 * @charge: what the sender is charged for them
 * @box: the mailbox of the message, which counts it, with a reference; NULL before
 * @nr: how many; 1 to MAILBOX_FILES_MAX once they are complete
 * @file: the files, each with a reference
 *
 * Owner only until the message is published, constant from then on, but for a dead letter
 * that is moved.
 */
struct mbx_files {
	struct mbx_charge charge;
	struct mbx_box *box;
	u32 nr;
	struct file *file[];
};

/**
 * struct mbx_delivery - where a receive wants files, while the call lasts
 * @to: where descriptors go in user memory
 * @count: where it is told how many there are
 * @room: descriptors at @to
 * @nr: how many are reserved
 * @told: @count is written to
 * @fd: the descriptors
 * @file: what they will be for, with a reference
 */
struct mbx_delivery {
	s32 __user *to;
	u32 __user *count;
	u32 room;
	u32 nr;
	bool told;
	int fd[MAILBOX_FILES_MAX];
	struct file *file[MAILBOX_FILES_MAX];
};

struct mbx_files *mbx_files_of_user(const struct mailbox_send __user *arg, u32 size);
void mbx_files_free(struct mbx_files *files);
int mbx_files_enter(struct mbx_files *files, struct mbx_box *box);

int mbx_delivery_ask(struct mbx_delivery *delivery, struct mailbox_receive __user *arg, u32 size);
int mbx_delivery_prepare(struct mbx_delivery *delivery, const struct mbx_message *msg, bool peek);
void mbx_delivery_end(struct mbx_delivery *delivery, bool success);

/**
 * mbx_files_attach() - let files travel with a message
 * @msg: a message not yet published
 * @files: the files; they are the message's from now on, and this is NULL
 */
static inline void mbx_files_attach(struct mbx_message *msg, struct mbx_files **files)
{
	msg->files = *files;
	msg->state |= MBX_HAS_FILES;
	*files = NULL;
}

/**
 * mbx_files_nr() - how many files has a message?
 * @msg: the message
 * Return: how many.
 */
static inline u32 mbx_files_nr(const struct mbx_message *msg)
{
	return likely(!msg->files) ? 0 : msg->files->nr;
}

#endif /* MBX_FILES_H */
