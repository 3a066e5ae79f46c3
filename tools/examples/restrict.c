// SPDX-License-Identifier: GPL-2.0
/*
 * A parent lets its child send, and nothing else, for as long as it likes: the child inherits
 * a handle that was derived from the parent's, and the parent revokes it.
 *
 *	cc restrict.c -o restrict $(pkg-config --cflags --libs libmailbox)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailbox.h>

static int check(const char *what, int ret)
{
	char text[128];

	if (ret < 0) {
		printf("%s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

/* It has no other handle; a real one would be another program. */
static void child(int handle)
{
	char text[64];
	ssize_t ret;

	ret = mailbox_receive(handle, text, sizeof(text));
	printf("child tries to receive: %s\n", mailbox_strerror(ret));
	printf("child sends until it may not any more\n");
	do {
		ret = mailbox_send(handle, "a request", strlen("a request"));
	} while (!ret);
	printf("child tries to send: %s\n", mailbox_strerror(ret));
	exit(0);
}

int main(void)
{
	struct mailbox_create create;
	int device, box, derived;
	uint64_t grant;
	char text[64];
	ssize_t length;

	setvbuf(stdout, NULL, _IONBF, 0);
	device = check("open", mailbox_device_open());
	mailbox_create_init(&create, NULL);
	create.max_messages = 1;
	box = check("create", mailbox_create(device, &create));
	derived = check("restrict", mailbox_restrict(box, MAILBOX_RIGHT_SEND, 0, &grant));

	if (!fork()) {
		close(box);
		close(device);
		child(derived);
	}
	/* What the child has is enough. */
	close(derived);
	length = check("receive", mailbox_receive(box, text, sizeof(text)));
	printf("parent receives %.*s, and revokes what it gave\n", (int)length, text);
	check("revoke", mailbox_revoke(box, grant));
	wait(NULL);
	return 0;
}
