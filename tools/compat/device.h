/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device of this process.
 */
#ifndef COMPAT_DEVICE_H
#define COMPAT_DEVICE_H

/*
 * A hidden descriptor of /dev/mailbox, opened when it is first asked for; or -1 with errno: ENOSYS
 * when there is no module, which is said once on standard error.
 */
int compat_device(void);

/* The caller goes to another network namespace, which has other mailboxes. */
void compat_device_forget(void);

#endif /* COMPAT_DEVICE_H */
