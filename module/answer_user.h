/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_ANSWER_USER_H
#define MBX_ANSWER_USER_H

struct file;
struct mailbox_call;
struct mailbox_reply;

long mbx_answer_call(struct file *file, struct mailbox_call __user *arg);
long mbx_answer_reply(struct file *file, struct mailbox_reply __user *arg);
long mbx_answer_reply_receive(struct file *file, struct mailbox_reply __user *arg);

#endif /* MBX_ANSWER_USER_H */
