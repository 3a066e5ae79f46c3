// SPDX-License-Identifier: GPL-2.0
/*
 * P1 sends, P2 and P3 receive: who gets it? Only one of them can be there.
 *
 *	cc policy_pair.c -o policy_pair $(pkg-config --cflags --libs libmailbox)
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
		printf("%s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

/* So that what is printed is in order: until so many wait, or this one has ended. */
static void await(int box, unsigned int nr, pid_t pid)
{
	struct mailbox_stat stat;

	do {
		sched_yield();
		check("stat", mailbox_stat(box, &stat));
	} while (stat.receivers != nr && !waitpid(pid, NULL, WNOHANG));
}

/* It is one of the pair from its open to its end. */
static pid_t start_receiver(const char *name, unsigned int nr, int device, int box, uint64_t id)
{
	pid_t pid = fork();
	char text[32];
	ssize_t length;

	if (!pid) {
		box = check(name, mailbox_open_id(device, id, MAILBOX_RIGHT_RECEIVE, 0));
		length = check("receive", mailbox_receive(box, text, sizeof(text)));
		printf("%s receives %.*s, and ends\n", name, (int)length, text);
		exit(0);
	}
	await(box, nr, pid);
	return pid;
}

static void send_text(int box, const char *text)
{
	char error[128];
	int ret;

	printf("P1 sends %s\n", text);
	ret = mailbox_send(box, text, strlen(text));
	if (ret)
		printf("%s\n", mailbox_error_text(ret, "P1", error, sizeof(error)));
}

int main(void)
{
	struct mailbox_create create;
	int device, box;
	pid_t p2, p3;

	setvbuf(stdout, NULL, _IONBF, 0);
	device = check("open", mailbox_device_open());
	mailbox_create_init(&create, NULL);
	create.policy = MAILBOX_POLICY_PAIR;
	box = check("create", mailbox_create(device, &create));

	printf("P2 opens the mailbox of P1, then P3\n");
	p2 = start_receiver("P2", 1, device, box, create.id);
	start_receiver("P3", 2, device, box, create.id);
	send_text(box, "an apple");
	waitpid(p2, NULL, 0);
	send_text(box, "a pear");
	printf("P3 opens it now\n");
	p3 = start_receiver("P3", 1, device, box, create.id);
	send_text(box, "a pear");
	waitpid(p3, NULL, 0);
	return 0;
}
