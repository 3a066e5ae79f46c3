// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names. A key is "sysv.msg.0x0000002a"; a queue without one is found by its id alone, and is
 * "sysv.msg.private.7" for who lists mailboxes, where 7 is that id.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "keys.h"
#include "real.h"

#define RIGHTS_ALL (MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE | MAILBOX_RIGHT_MANAGE)
/* Bits that say anything: who may execute a queue is not told. */
#define MODE_BITS 0666
/* So often a mailbox may come and go while we look for it. */
#define TRIES	    1000
#define QUICK_TRIES 20

static int create_error(int error)
{
	switch (error) {
	case EDQUOT:
		return ENOSPC;
	case EINVAL:
	case EEXIST:
		return error;
	default:
		return ENOMEM;
	}
}

static int fill_in(struct mailbox_create *create, int flags, const char *name)
{
	create->rights = RIGHTS_ALL;
	create->mode = flags & MODE_BITS;
	create->flags = MAILBOX_PERMANENT;
	memset(create->name, 0, sizeof(create->name));
	strcpy(create->name, name);
	return mailbox_create(compat_device(), create);
}

/*
 * Who made a segment is who sent the last message that there was in it. A queue has its own, and
 * no need to tell.
 */
static void sign(int fd)
{
	struct mailbox_message message = { 0 };

	if (!mailbox_send(fd, NULL, 0))
		mailbox_receive_message(fd, &message, NULL, MAILBOX_NONBLOCK, 0);
}

/* Identifiers are numbers that an int can hold. */
static int created(int fd, const struct mailbox_create *create)
{
	if (create->id > INT_MAX) {
		mailbox_destroy(fd);
		compat_close(fd);
		return compat_fail(ENOSPC);
	}
	if (create->region_size)
		sign(fd);
	compat_close(fd);
	return create->id;
}

static int create_keyed(const char *name, int flags, struct mailbox_create *create)
{
	int fd = fill_in(create, flags, name);

	return fd < 0 ? compat_fail(create_error(-fd)) : created(fd, create);
}

/* The id is known once there is one: until then the name is one that nobody else takes. */
static int create_private(const char *kind, int flags, struct mailbox_create *create)
{
	struct mailbox_set set = { .flags = MAILBOX_SET_NAME };
	static atomic_uint count;
	char name[MAILBOX_NAME_SIZE];
	int fd;

	do {
		snprintf(name, sizeof(name), "%snew.%d.%u", kind, getpid(),
			 atomic_fetch_add(&count, 1));
		fd = fill_in(create, flags, name);
	} while (fd == -EEXIST);
	if (fd < 0)
		return compat_fail(create_error(-fd));

	snprintf(set.name, sizeof(set.name), "%sprivate.%llu", kind,
		 (unsigned long long)create->id);
	/* Should somebody have taken that, it goes by the other one. */
	mailbox_set(fd, &set);
	return created(fd, create);
}

/* The bits of the flags that are wanted, of whatever class, as the kernel has it. */
static uint32_t rights_wanted(int flags)
{
	int bits = flags >> 6 | flags >> 3 | flags;

	return (bits & 4 ? MAILBOX_RIGHT_RECEIVE : 0) | (bits & 2 ? MAILBOX_RIGHT_SEND : 0);
}

static int open_name(const char *name, uint32_t rights)
{
	static const uint32_t any[] = { MAILBOX_RIGHT_RECEIVE, MAILBOX_RIGHT_SEND,
					MAILBOX_RIGHT_MANAGE };
	int device = compat_device(), fd = -EACCES;
	size_t i;

	if (rights)
		return mailbox_open(device, name, rights, 0);
	for (i = 0; i < 3 && fd == -EACCES; i++)
		fd = mailbox_open(device, name, any[i], 0);
	return fd;
}

/* Returns the id, or a negative errno. */
static int find(const char *name, int flags, struct mailbox_stat *found)
{
	int fd = open_name(name, rights_wanted(flags)), ret;

	if (fd < 0)
		return fd;
	ret = mailbox_stat(fd, found);
	compat_close(fd);
	if (ret)
		return ret;
	return found->id > INT_MAX ? -ENOSPC : (int)found->id;
}

static int find_error(int error)
{
	switch (error) {
	case EACCES:
	case ENOSPC:
		return error;
	case ENOENT:
	case EIDRM:
		return ENOENT;
	default:
		return ENOMEM;
	}
}

static int find_or_create(const char *name, int flags, struct mailbox_create *create,
			  struct mailbox_stat *found)
{
	int tries, ret;

	for (tries = 0; tries < TRIES; tries++) {
		ret = find(name, flags, found);
		if (ret >= 0)
			return ret;
		found->id = 0;
		if (find_error(-ret) != ENOENT)
			return compat_fail(find_error(-ret));
		ret = create_keyed(name, flags, create);
		if (ret >= 0 || errno != EEXIST)
			return ret;
		/* Who is making or removing it may need this very processor to get on. */
		if (tries >= QUICK_TRIES)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return compat_fail(ENOMEM);
}

int compat_key_get(const char *kind, key_t key, int flags, struct mailbox_create *create,
		   struct mailbox_stat *found)
{
	char name[MAILBOX_NAME_SIZE];
	int ret;

	found->id = 0;
	if (compat_device() < 0)
		return -1;
	if (key == IPC_PRIVATE)
		return create_private(kind, flags, create);

	snprintf(name, sizeof(name), "%s0x%08x", kind, (unsigned int)key);
	if (!(flags & IPC_CREAT)) {
		ret = find(name, flags, found);
		return ret < 0 ? compat_fail(find_error(-ret)) : ret;
	}
	if (flags & IPC_EXCL)
		return create_keyed(name, flags, create);
	return find_or_create(name, flags, create, found);
}

key_t compat_key_of(const char *kind, const char *name)
{
	const char *text = name + strlen(kind);

	if (strncmp(name, kind, strlen(kind)) || strncmp(text, "0x", 2))
		return IPC_PRIVATE;
	return strtoul(text, NULL, 16);
}

void compat_key_perm(const char *kind, const struct mailbox_stat *stat, struct ipc_perm *perm)
{
	*perm = (struct ipc_perm){
		.__key = compat_key_of(kind, stat->name),
		.uid = stat->uid,
		.gid = stat->gid,
		.cuid = stat->creator_uid,
		.cgid = stat->creator_gid,
		.mode = stat->mode & MODE_BITS,
	};
}
