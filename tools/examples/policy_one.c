// SPDX-License-Identifier: GPL-2.0
/*
 * P1 sends, P2 and P3 receive: who gets it? The one that has the right, until it gives it up.
 *
 *	cc policy_one.c -o policy_one $(pkg-config --cflags --libs libmailbox)
 */
#include <sched.h>
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
		fprintf(stderr, "%s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

/* So that what is printed is in order: until so many wait. */
static void await_receivers(int box, unsigned int nr)
{
	struct mailbox_stat stat;

	do {
		sched_yield();
		check("stat", mailbox_stat(box, &stat));
	} while (stat.receivers != nr);
}

static pid_t start_receiver(const char *name, int box, int times)
{
	pid_t pid = fork();
	char text[32];
	ssize_t length;

	if (pid)
		return pid;
	while (times--) {
		length = check("receive", mailbox_receive(box, text, sizeof(text)));
		printf("%s receives %.*s\n", name, (int)length, text);
	}
	printf("%s gives up the right to receive\n", name);
	check("yield", mailbox_yield(box));
	exit(0);
}

static void send_text(int box, const char *text)
{
	printf("P1 sends %s\n", text);
	check("send", mailbox_send(box, text, strlen(text)));
}

int main(void)
{
	struct mailbox_create create;
	pid_t p2, p3;
	int box;

	setvbuf(stdout, NULL, _IONBF, 0);
	mailbox_create_init(&create, NULL);
	create.policy = MAILBOX_POLICY_ONE;
	box = check("create", mailbox_create(check("open", mailbox_device_open()), &create));

	printf("P2 waits, then P3\n");
	p2 = start_receiver("P2", box, 2);
	await_receivers(box, 1);
	p3 = start_receiver("P3", box, 1);
	await_receivers(box, 2);
	send_text(box, "an apple");
	/* Both wait again: P2 for a message, P3 for the right. */
	await_receivers(box, 2);
	send_text(box, "a pear");
	waitpid(p2, NULL, 0);
	send_text(box, "a plum");
	waitpid(p3, NULL, 0);
	return 0;
}
