// SPDX-License-Identifier: GPL-2.0
/*
 * P1 sends, P2 and P3 receive: who gets it? Each of them, if it listened by then.
 *
 *	cc policy_broadcast.c -o policy_broadcast $(pkg-config --cflags --libs libmailbox)
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
		fprintf(stderr, "%s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

/* A handle of its own; with a copy of another's descriptor it would share the messages. */
static int start_listening(const char *name, int device, uint64_t id)
{
	printf("%s listens\n", name);
	return check("open", mailbox_open_id(device, id, MAILBOX_RIGHT_RECEIVE, 0));
}

/* Processes in turn, so that what is printed is in order. */
static void receive_all(const char *name, int box)
{
	pid_t pid = fork();
	char text[32];
	struct mailbox_message message = { .data = text, .room = sizeof(text) };

	if (pid) {
		waitpid(pid, NULL, 0);
		return;
	}
	while (!mailbox_receive_message(box, &message, NULL, MAILBOX_NONBLOCK, 0)) {
		if (message.missed)
			printf("%s has missed %d\n", name, (int)message.missed);
		printf("%s receives %.*s\n", name, (int)message.length, text);
	}
	exit(0);
}

static void send_text(int box, const char *text)
{
	printf("P1 sends %s\n", text);
	check("send", mailbox_send(box, text, strlen(text)));
}

int main(void)
{
	int device = check("device", mailbox_device_open()), p1, p2, p3;
	struct mailbox_create create;

	setvbuf(stdout, NULL, _IONBF, 0);
	mailbox_create_init(&create, NULL);
	create.policy = MAILBOX_POLICY_BROADCAST;
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	create.max_messages = 2;
	create.rights = MAILBOX_RIGHT_SEND;
	p1 = check("create", mailbox_create(device, &create));

	p2 = start_listening("P2", device, create.id);
	send_text(p1, "an apple");
	p3 = start_listening("P3", device, create.id);
	send_text(p1, "a pear");
	receive_all("P2", p2);
	send_text(p1, "a plum");
	send_text(p1, "a fig");
	receive_all("P2", p2);
	receive_all("P3", p3);
	return 0;
}
