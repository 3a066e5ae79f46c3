// SPDX-License-Identifier: GPL-2.0
/*
 * shell_msg make KEY | send KEY TYPE TEXT | receive KEY TYPE | remove KEY: SysV messages for a
 * shell, as ipcmk(1) and ipcrm(1) are. An ordinary program, for scripts to run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[8192];
};

static int done(int ret)
{
	if (ret < 0)
		fprintf(stderr, "%s\n", strerror(errno));
	return ret < 0;
}

int main(int argc, char **argv)
{
	struct message message;
	ssize_t length;
	key_t key;
	int id;

	if (argc < 3)
		return 2;
	key = strtoul(argv[2], NULL, 0);
	id = msgget(key, strcmp(argv[1], "make") ? 0 : IPC_CREAT | IPC_EXCL | 0644);
	if (id < 0 || !strcmp(argv[1], "make"))
		return done(id);
	if (!strcmp(argv[1], "remove"))
		return done(msgctl(id, IPC_RMID, NULL));
	if (argc < 4)
		return 2;
	message.type = atol(argv[3]);
	if (!strcmp(argv[1], "send") && argc == 5) {
		length = snprintf(message.text, sizeof(message.text), "%s", argv[4]);
		return done(msgsnd(id, &message, length, IPC_NOWAIT));
	}
	length = msgrcv(id, &message, sizeof(message.text), message.type, IPC_NOWAIT);
	if (length >= 0)
		printf("%.*s\n", (int)length, message.text);
	return done(length);
}
