// SPDX-License-Identifier: GPL-2.0
/*
 * A sensor sends ten million measurements of 32 bytes through a lane, in batches, and hardly
 * ever enters the kernel. "sensor 1000" sends so many; meanwhile "mailbox stat sensor" shows
 * the lane.
 *
 *	cc sensor.c -o sensor $(pkg-config --cflags --libs libmailbox)
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailbox.h>

#define BATCH 100

struct measurement {
	uint64_t number;
	uint64_t value[3];
};

static int check(const char *what, int ret)
{
	char text[128];

	if (ret < 0) {
		printf("%s\n", mailbox_error_text(ret, what, text, sizeof(text)));
		exit(1);
	}
	return ret;
}

static void send_all(int box, unsigned long nr)
{
	struct mailbox_lane *lane;
	struct measurement *to;
	unsigned long i;

	check("open lane", mailbox_lane_open(box, 0, &lane));
	for (i = 0; i < nr; i++) {
		check("send", mailbox_lane_reserve(lane, sizeof(*to), 0, 0, (void **)&to));
		*to = (struct measurement){ i, { i * 3, i * 5, i * 7 } };
		if (i % BATCH == BATCH - 1)
			mailbox_lane_commit(lane);
	}
	mailbox_lane_commit(lane);
	mailbox_lane_close(lane);
}

static bool is_right(const struct mailbox_lane_message *message, unsigned long i)
{
	const struct measurement *got = message->data;

	return message->length == sizeof(*got) && got->number == i && got->value[0] == i * 3 &&
	       got->value[1] == i * 5 && got->value[2] == i * 7;
}

static unsigned long receive_all(int box, unsigned long nr)
{
	struct mailbox_lane_message message;
	unsigned long i = 0, good = 0;
	struct mailbox_lanes *lanes;

	check("open lanes", mailbox_lanes_open(box, &lanes));
	while (i < nr) {
		/* Waits for the first, takes what else there is, where it is, and lets it go. */
		check("receive", mailbox_lanes_next(lanes, &message, 0, 0));
		do {
			good += is_right(&message, i++);
		} while (!mailbox_lanes_next(lanes, &message, 0, 0));
		mailbox_lanes_release(lanes);
	}
	mailbox_lanes_close(lanes);
	return good;
}

int main(int argc, char **argv)
{
	unsigned long nr = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000000, good;
	struct mailbox_create create;
	int box;

	mailbox_create_init(&create, "sensor");
	box = check("create", mailbox_create(check("open", mailbox_device_open()), &create));
	if (!fork()) {
		send_all(box, nr);
		return 0;
	}
	good = receive_all(box, nr);
	wait(NULL);
	printf("%lu messages of %zu bytes, %lu right\n", nr, sizeof(struct measurement), good);
	return good != nr;
}
