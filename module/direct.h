/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_DIRECT_H
#define MBX_DIRECT_H

struct file;
struct mbx_call;

/**
 * DOC: direct
 *
 * Sending to a process and receiving from one. Both find the inbox that it is about and do
 * what SEND and RECEIVE do with its mailbox. An inbox may go before they get there: then
 * they see EIDRM and begin again, and learn whether its process, or the domain, has ended.
 */

int mbx_direct_send(struct file *file, struct mbx_call *call);
int mbx_direct_receive(struct file *file, struct mbx_call *call);
int mbx_direct_allow(struct file *file, struct mbx_call *call);
int mbx_direct_links(struct file *file, struct mbx_call *call);

#endif /* MBX_DIRECT_H */
