// SPDX-License-Identifier: GPL-2.0
/*
 * Passes frames of a mebibyte from one process to another, and copies none: they are in memory
 * that both have mapped, and change hands by loans. "frames 1000" passes so many; meanwhile
 * "mailbox stat frames" shows the loans.
 *
 *	cc frames.c -o frames $(pkg-config --cflags --libs libmailbox)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailbox.h>

#define FRAME (1024 * 1024)
#define WORDS (FRAME / sizeof(uint64_t))

static int check(const char *what, int ret)
{
	char text[128];

	if (ret < 0) {
		printf("%s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

/* As a camera would: each frame is another, and its sum is its type. */
static uint64_t draw(uint64_t *words, uint64_t number)
{
	uint64_t sum = 0, i;

	for (i = 0; i < WORDS; i++)
		sum = sum * 31 + (words[i] = number * WORDS + i);
	return sum;
}

static uint64_t sum_of(const uint64_t *words, size_t nr)
{
	uint64_t sum = 0, i;

	for (i = 0; i < nr; i++)
		sum = sum * 31 + words[i];
	return sum;
}

static void send_frames(int box, char *region, unsigned long nr)
{
	struct mailbox_message frame = { .length = FRAME, .borrow = FRAME };
	unsigned long i;

	for (i = 0; i < nr; i++) {
		/* The send before this has borrowed it, unless all were in use. */
		if (!frame.loan)
			check("borrow", mailbox_loan(box, &frame, 0, 0));
		frame.type = draw((uint64_t *)(region + frame.offset), i);
		check("send", mailbox_send_message(box, &frame, MAILBOX_LOAN, 0));
	}
}

static unsigned long receive_frames(int box, const char *region, unsigned long nr)
{
	struct mailbox_message frame = { 0 };
	unsigned long i, good = 0;

	for (i = 0; i < nr; i++) {
		/* Gives back the frame before this one. */
		check("receive", mailbox_receive_message(box, &frame, NULL, MAILBOX_LOAN, 0));
		good += frame.type == sum_of((const uint64_t *)(region + frame.offset),
					     frame.length / sizeof(uint64_t));
	}
	check("return", mailbox_return(box, frame.loan));
	return good;
}

int main(int argc, char **argv)
{
	unsigned long nr = argc > 1 ? strtoul(argv[1], NULL, 0) : 100, good;
	struct mailbox_create create;
	size_t length;
	void *region;
	int box;

	mailbox_create_init(&create, "frames");
	create.region_size = 4 * FRAME;
	box = check("create", mailbox_create(check("open", mailbox_device_open()), &create));
	check("map", mailbox_map(box, &region, &length));
	if (!fork()) {
		send_frames(box, region, nr);
		return 0;
	}
	good = receive_frames(box, region, nr);
	wait(NULL);
	printf("%lu frames of %d bytes, %lu with the right sum\n", nr, FRAME, good);
	return good != nr;
}
