// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The device: making, opening, removing and listing mailboxes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "internal.h"

/*
 * While another process makes or ends the mailbox, its name is taken and cannot be
 * opened. That is short, unless that process is stopped in the midst of it; and others who
 * remove and make the mailbox all the time must not hold us for ever either.
 */
#define OPEN_OR_CREATE_TRIES	   1000
#define OPEN_OR_CREATE_QUICK_TRIES 20

int mbx_call(int fd, unsigned long command, void *argument)
{
	int ret = ioctl(fd, command, argument);

	return ret < 0 ? -errno : ret;
}

int mbx_name_copy(char *to, const char *name)
{
	size_t length = name ? strlen(name) : 0;

	if (length >= MAILBOX_NAME_SIZE)
		return -EINVAL;

	memset(to, 0, MAILBOX_NAME_SIZE);
	if (length)
		memcpy(to, name, length);
	return 0;
}

int mailbox_device_open(void)
{
	int fd = open("/dev/mailbox", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int mailbox_info(int fd, struct mailbox_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return mbx_call(fd, MAILBOX_IOC_INFO, info);
}

int mailbox_create_init(struct mailbox_create *create, const char *name)
{
	memset(create, 0, sizeof(*create));
	create->size = sizeof(*create);
	create->rights = MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_MANAGE;
	create->mode = 0600;
	create->fd = -1;
	return mbx_name_copy(create->name, name);
}

int mailbox_create(int device, struct mailbox_create *create)
{
	int ret;

	create->size = sizeof(*create);
	ret = mbx_call(device, MAILBOX_IOC_CREATE, create);
	return ret < 0 ? ret : create->fd;
}

static int open_mailbox(int device, struct mailbox_open *open)
{
	int ret;

	open->size = sizeof(*open);
	open->fd = -1;
	ret = mbx_call(device, MAILBOX_IOC_OPEN, open);
	return ret < 0 ? ret : open->fd;
}

int mailbox_open(int device, const char *name, uint32_t rights, uint32_t flags)
{
	struct mailbox_open open = { .flags = flags, .rights = rights };
	int ret = mbx_name_copy(open.name, name);

	return ret < 0 ? ret : open_mailbox(device, &open);
}

int mailbox_open_id(int device, uint64_t id, uint32_t rights, uint32_t flags)
{
	struct mailbox_open open = { .flags = flags, .rights = rights, .id = id };

	return open_mailbox(device, &open);
}

int mailbox_open_or_create(int device, struct mailbox_create *create)
{
	int tries;

	if (!create->name[0])
		return -EINVAL;

	for (tries = 0; tries < OPEN_OR_CREATE_TRIES; tries++) {
		struct mailbox_open open = {
			.flags = create->flags & (MAILBOX_NONBLOCK | MAILBOX_STREAM),
			.rights = create->rights,
		};
		int ret;

		memcpy(open.name, create->name, sizeof(open.name));
		ret = open_mailbox(device, &open);
		if (ret >= 0) {
			create->id = open.id;
			create->fd = ret;
			return ret;
		}
		if (ret != -ENOENT && ret != -EIDRM)
			return ret;

		ret = mailbox_create(device, create);
		if (ret != -EEXIST)
			return ret;

		/* The other one may need this very processor to get on. */
		if (tries >= OPEN_OR_CREATE_QUICK_TRIES)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return -EAGAIN;
}

int mailbox_destroy_name(int device, const char *name)
{
	struct mailbox_destroy destroy = { .size = sizeof(destroy) };
	int ret = mbx_name_copy(destroy.name, name);

	return ret < 0 ? ret : mbx_call(device, MAILBOX_IOC_DESTROY, &destroy);
}

int mailbox_destroy_id(int device, uint64_t id)
{
	struct mailbox_destroy destroy = { .size = sizeof(destroy), .id = id };

	return mbx_call(device, MAILBOX_IOC_DESTROY, &destroy);
}

int mailbox_list(int device, uint64_t *after, struct mailbox_stat *entries, unsigned int nr)
{
	struct mailbox_list list = {
		.size = sizeof(list),
		.entries = mbx_address(entries),
		.entry_size = sizeof(*entries),
		.nr = nr,
		.after = *after,
	};
	int ret = mbx_call(device, MAILBOX_IOC_LIST, &list);

	if (ret < 0)
		return ret;

	*after = list.after;
	return list.nr;
}

int mailbox_list_each(int device, int (*each)(const struct mailbox_stat *stat, void *context),
		      void *context)
{
	struct mailbox_stat entries[16];
	uint64_t after = 0;
	int nr, i, ret;

	for (;;) {
		nr = mailbox_list(device, &after, entries, sizeof(entries) / sizeof(entries[0]));
		if (nr <= 0)
			return nr;

		for (i = 0; i < nr; i++) {
			ret = each(&entries[i], context);
			if (ret)
				return ret;
		}
	}
}
