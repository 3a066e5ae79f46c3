// SPDX-License-Identifier: GPL-2.0
/*
 * The mailbox that an argument names: a name, an id, id:N or name:TEXT.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

int target_parse(const struct command *command, const char *argument, struct target *target)
{
	bool digits = *argument && !argument[strspn(argument, "0123456789")];
	char *name;

	memset(target, 0, sizeof(*target));
	if (!strncmp(argument, "id:", 3) || digits) {
		const char *number = digits ? argument : argument + 3;

		if (!parse_number(number, UINT64_MAX, &target->id) || !target->id)
			return usage(command, "'%s' is not an id: ids are numbers from 1 on",
				     argument);
		if (asprintf(&target->shown, "mailbox %llu", (unsigned long long)target->id) < 0)
			abort();
		return EXIT_OK;
	}

	target->name = !strncmp(argument, "name:", 5) ? argument + 5 : argument;
	name = printable(target->name, strlen(target->name), 0);
	if (!*name || strlen(target->name) >= MAILBOX_NAME_SIZE) {
		free(name);
		return usage(command, "a name of a mailbox has 1 to %d bytes",
			     MAILBOX_NAME_SIZE - 1);
	}
	if (asprintf(&target->shown, "mailbox '%s'", name) < 0)
		abort();
	free(name);
	return EXIT_OK;
}

void target_fini(struct target *target)
{
	free(target->shown);
	target->shown = NULL;
}

int device_open(int *device)
{
	int fd = mailbox_device_open();

	*device = fd;
	if (fd >= 0)
		return EXIT_OK;

	switch (-fd) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		complain("there is no /dev/mailbox: is the module loaded? "
			 "'sudo insmod mailbox.ko'");
		return EXIT_NO_DEVICE;
	case EACCES:
	case EPERM:
		complain("you may not open /dev/mailbox: 'ls -l /dev/mailbox' shows who may");
		return EXIT_NOT_PERMITTED;
	default:
		complain("cannot open /dev/mailbox: %s", strerror(-fd));
		return EXIT_OTHER;
	}
}

static int try_open(int device, struct target *target, uint32_t rights, uint32_t flags)
{
	if (target->name)
		return mailbox_open(device, target->name, rights, flags);
	return mailbox_open_id(device, target->id, rights, flags);
}

int target_open_with(int device, struct target *target, uint32_t rights, uint32_t flags,
		     int *handle)
{
	*handle = try_open(device, target, rights, flags);
	return *handle < 0 ? report(DOING_OPEN, target, *handle) : EXIT_OK;
}

int target_open(int device, struct target *target, uint32_t rights, int *handle)
{
	return target_open_with(device, target, rights, 0, handle);
}

static int is_target(const struct mailbox_stat *stat, void *context)
{
	struct target *target = context;

	if (strncmp(stat->name, target->name, sizeof(stat->name)))
		return 0;
	target->id = stat->id;
	return 1;
}

/*
 * Learns the id that goes with a name from the list: a process that opens the mailbox of
 * a pair is one of the two. What the list has not is opened with whichever right there
 * is, just to learn why it cannot be.
 */
static int target_resolve(int device, struct target *target)
{
	struct mailbox_stat stat;
	uint64_t after;
	uint32_t right;
	int handle = -EACCES, ret;

	if (target->name) {
		ret = mailbox_list_each(device, is_target, target);
	} else {
		after = target->id - 1;
		ret = mailbox_list(device, &after, &stat, 1);
		ret = ret == 1 ? stat.id == target->id : ret;
	}
	if (ret)
		return ret < 0 ? ret : 0;

	for (right = MAILBOX_RIGHT_SEND; right <= MAILBOX_RIGHT_MANAGE; right <<= 1) {
		handle = try_open(device, target, right, 0);
		if (handle != -EACCES)
			break;
	}
	if (handle < 0)
		return handle;

	ret = mailbox_stat(handle, &stat);
	close(handle);
	target->id = stat.id;
	return ret;
}

/*
 * Takes the figures from the list rather than from a handle: an open one would be
 * counted among the handles, and would keep a temporary mailbox alive.
 */
int target_stat(int device, struct target *target, struct mailbox_stat *stat)
{
	uint64_t after;
	int ret;

	ret = target_resolve(device, target);
	if (!ret) {
		after = target->id - 1;
		ret = mailbox_list(device, &after, stat, 1);
		if (ret >= 0)
			ret = ret == 1 && stat->id == target->id ? 0 : -EIDRM;
	}
	return ret < 0 ? report(DOING_OPEN, target, ret) : EXIT_OK;
}
