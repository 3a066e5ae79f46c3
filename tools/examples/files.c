// SPDX-License-Identifier: GPL-2.0
/*
 * A server hands out opened files: its client reads one that it could not have opened itself,
 * since it never learns where it is. The descriptor travels in the answer.
 *
 *	cc files.c -o files $(pkg-config --cflags --libs libmailbox)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static int new_box(int device)
{
	struct mailbox_create create;

	mailbox_create_init(&create, NULL);
	return check("create", mailbox_create(device, &create));
}

/* A real one would open(2) what it thinks right, for whom message->uid says. */
static int open_for(const struct mailbox_message *request)
{
	static const char text[] = "Hello from an opened file!\n";
	int file;

	if (strncmp(request->data, "greeting", request->length))
		return -1;
	file = memfd_create("greeting", MFD_CLOEXEC);
	if (write(file, text, strlen(text)) < 0)
		exit(1);
	lseek(file, 0, SEEK_SET);
	return file;
}

static void serve(int requests, int answers)
{
	struct mailbox_message request = { 0 }, answer = { 0 };
	int file;

	check("receive", mailbox_receive_alloc(requests, &request, NULL, 0, 0));
	file = open_for(&request);
	printf("server is asked for '%.*s'%s\n", (int)request.length, (char *)request.data,
	       file < 0 ? ", and has no such file" : ", and opens it");
	answer.files = &file;
	answer.nr_files = file >= 0;
	check("answer", mailbox_send_message(answers, &answer, MAILBOX_FILES, 0));
	close(file); /* the message keeps it open */
	free(request.data);
}

static void ask(int requests, int answers, const char *name)
{
	int file = -1;
	struct mailbox_message answer = { .files = &file, .max_files = 1 };
	char text[64];

	check("ask", mailbox_send(requests, name, strlen(name)));
	check("receive", mailbox_receive_message(answers, &answer, NULL, MAILBOX_FILES, 0));
	if (!answer.nr_files) {
		printf("client gets nothing\n");
		return;
	}
	printf("client reads: %.*s", (int)read(file, text, sizeof(text)), text);
	close(file);
}

int main(void)
{
	int device = check("open", mailbox_device_open());
	int requests = new_box(device), answers = new_box(device);

	setvbuf(stdout, NULL, _IONBF, 0);
	if (!fork()) {
		ask(requests, answers, "greeting");
		ask(requests, answers, "secret");
		return 0;
	}
	serve(requests, answers);
	serve(requests, answers);
	wait(NULL);
	return 0;
}
