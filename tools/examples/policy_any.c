// SPDX-License-Identifier: GPL-2.0
/*
 * P1 sends, P2 and P3 receive: who gets it? Whoever has waited longest.
 *
 *	cc policy_any.c -o policy_any $(pkg-config --cflags --libs libmailbox)
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

/* So that what is printed is in order: until so many wait for a message. */
static void await_receivers(int box, unsigned int nr)
{
	struct mailbox_stat stat;

	do {
		sched_yield();
		check("stat", mailbox_stat(box, &stat));
	} while (stat.receivers != nr);
}

static pid_t start_receiver(const char *name, int box)
{
	pid_t pid = fork();
	char text[32];
	ssize_t length;

	if (pid)
		return pid;
	length = check("receive", mailbox_receive(box, text, sizeof(text)));
	printf("%s receives %.*s\n", name, (int)length, text);
	exit(0);
}

static void send_to(int box, const char *text, pid_t receiver)
{
	printf("P1 sends %s\n", text);
	check("send", mailbox_send(box, text, strlen(text)));
	waitpid(receiver, NULL, 0);
}

int main(void)
{
	struct mailbox_create create;
	pid_t p2, p3;
	int box;

	setvbuf(stdout, NULL, _IONBF, 0);
	mailbox_create_init(&create, NULL);
	create.policy = MAILBOX_POLICY_ANY;
	box = check("create", mailbox_create(check("open", mailbox_device_open()), &create));

	printf("P3 waits, then P2\n");
	p3 = start_receiver("P3", box);
	await_receivers(box, 1);
	p2 = start_receiver("P2", box);
	await_receivers(box, 2);
	send_to(box, "an apple", p3);
	send_to(box, "a pear", p2);
	return 0;
}
