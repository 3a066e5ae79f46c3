/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MBX_DEVICE_H
#define MBX_DEVICE_H

struct file;
struct mbx_call;
struct mbx_domain;

/**
 * DOC: device
 *
 * /dev/mailbox: makes, finds, lists and destroys mailboxes. An open device belongs
 * to the domain of the network namespace in which it was opened.
 */

struct mbx_domain *mbx_device_domain(const struct file *file);
int mbx_info(struct file *file, struct mbx_call *call);
int mbx_device_create(struct file *file, struct mbx_call *call);
int mbx_device_open(struct file *file, struct mbx_call *call);
int mbx_device_destroy(struct file *file, struct mbx_call *call);
int mbx_device_list(struct file *file, struct mbx_call *call);

int mbx_device_init(void);
void mbx_device_fini(void);

#endif /* MBX_DEVICE_H */
