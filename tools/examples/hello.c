// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a message to a mailbox and receives it again.
 *
 *	cc hello.c -o hello $(pkg-config --cflags --libs libmailbox)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mailbox.h>

/* Every function of the library returns a negative errno when it fails. */
static int check(const char *what, int ret)
{
	char text[128];

	if (ret < 0) {
		fprintf(stderr, "hello: %s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

int main(void)
{
	struct mailbox_message message = { 0 };
	struct mailbox_create create;
	int device, box;

	device = check("open /dev/mailbox", mailbox_device_open());

	/* A temporary mailbox: it ends with the last process that has it open. */
	mailbox_create_init(&create, "hello");
	box = check("open or create 'hello'", mailbox_open_or_create(device, &create));

	check("send", mailbox_send(box, "Hello, mailbox!", strlen("Hello, mailbox!")));

	/* Waits for two seconds at most, and makes room for a message of any size. */
	check("receive", mailbox_receive_alloc(box, &message, NULL, MAILBOX_DEADLINE,
					       mailbox_deadline_in_ms(2000)));
	printf("process %d, user %u: %.*s\n", message.pid, message.uid, (int)message.length,
	       (const char *)message.data);

	free(message.data);
	close(box);
	close(device);
	return 0;
}
