// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "descriptor.h"
#include "device.h"
#include "lock.h"
#include "mailbox.h"
#include "real.h"

static int device = -1;

/* Why there is none: the program will only know that its queues do not work. */
static void explain(int error)
{
	static const char missing[] =
		"mailbox: there is no /dev/mailbox: load the module with 'modprobe mailbox'\n";
	static const char shut[] = "mailbox: /dev/mailbox cannot be opened\n";
	static atomic_flag said = ATOMIC_FLAG_INIT;
	const char *text = error == ENOENT || error == ENODEV || error == ENXIO ? missing : shut;

	if (atomic_flag_test_and_set(&said))
		return;
	/* Should that fail, errno still tells. */
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

int compat_device(void)
{
	int fd = __atomic_load_n(&device, __ATOMIC_ACQUIRE);

	if (fd >= 0)
		return fd;

	compat_lock();
	fd = device;
	if (fd < 0) {
		fd = mailbox_device_open();
		if (fd >= 0)
			fd = compat_hide_locked(fd, &device);
		else
			errno = -fd;
	}
	compat_unlock();
	if (fd >= 0)
		return fd;
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		return compat_fail(ENOMEM);
	explain(errno);
	return compat_fail(ENOSYS);
}

void compat_device_forget(void)
{
	compat_reveal(&device);
}
