/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_NOTIFY_H
#define MBX_NOTIFY_H

#include <linux/eventpoll.h>
#include <linux/types.h>

struct file;
struct mbx_call;
struct mbx_handle;
struct mbx_notify;

/**
 * DOC: notify
 *
 * An eventfd that is told what happens at a mailbox stands among those who poll it, with a
 * function of its own in place of a process to be woken. So it costs nothing where there
 * is none. Some of what it is told nobody polls for; that travels under names that
 * poll(2) has for other things.
 */
#define MBX_POLL_RECEIVER    EPOLLRDBAND
#define MBX_POLL_SENDER	     EPOLLWRBAND
#define MBX_POLL_NO_RECEIVER EPOLLMSG
#define MBX_POLL_NO_SENDER   EPOLLPRI
#define MBX_POLL_ABANDONED   EPOLLNVAL
#define MBX_POLL_ENDED	     EPOLLRDHUP

/* Of each message that is put into the queue; no poll(2) can ask for it. See concerns(). */
#define MBX_POLL_FIRST ((__force __poll_t)(1U << 16))

int mbx_notify_set(struct file *file, struct mbx_call *call);
struct mbx_notify *mbx_notify_take_locked(struct mbx_handle *handle);
void mbx_notify_hang_up(struct mbx_notify *notify);
void mbx_notify_end(struct mbx_notify *notify);

#endif /* MBX_NOTIFY_H */
