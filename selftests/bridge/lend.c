// SPDX-License-Identifier: GPL-2.0
/*
 * lend MAILBOX BYTES: sends a message whose payload, so many times x, lies in the region.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailbox.h>

static void check(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "lend: %s: %s\n", what, mailbox_strerror(ret));
	exit(1);
}

int main(int argc, char **argv)
{
	struct mailbox_message message = { .type = 5 };
	int device, handle;
	size_t length;
	void *region;

	if (argc != 3)
		return 2;
	device = mailbox_device_open();
	check(device, "device");
	handle = mailbox_open(device, argv[1], MAILBOX_RIGHT_SEND, 0);
	check(handle, "open");
	check(mailbox_map(handle, &region, &length), "map");
	message.length = atol(argv[2]);
	check(mailbox_loan(handle, &message, 0, 0), "loan");
	memset((char *)region + message.offset, 'x', message.length);
	check(mailbox_send_message(handle, &message, MAILBOX_LOAN, 0), "send");
	return 0;
}
