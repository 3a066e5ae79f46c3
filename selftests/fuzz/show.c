// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "describe.h"
#include "frame.h"
#include "show.h"

static const char *const plain_names[NR_PLAIN] = {
	"ioctl", "read",   "write",  "readv",	   "writev", "poll",  "epoll_new", "epoll_wait",
	"close", "dup",	   "device", "nonblock",   "fdinfo", "mmap",  "pass",	   "accept",
	"spawn", "signal", "kill",   "kill_child", "nap",    "limit",
};

static const char *const modes[] = { "", " patient", " at_once", " at_once_patient" };

static const char *const specials[SPECIALS] = { "where", "command", "tail", "fail" };

/* A member of the structure, or of the first or second entry. */
static void show_place(const struct layout *layout, unsigned int member)
{
	unsigned int members = layout_members(layout), place = member % frame_places(layout);
	unsigned int of_entry = layout->entry ? layout_members(layout->entry) : 0;

	if (place < SPECIALS)
		printf(" %s", specials[place]);
	else if (place < SPECIALS + members)
		printf(" %s", layout->members[place - SPECIALS].name);
	else
		printf(" [%u].%s", (place - SPECIALS - members) / of_entry,
		       layout->entry->members[(place - SPECIALS - members) % of_entry].name);
}

static void show_call(const struct call *call)
{
	const struct change *change;
	int i;

	if (call->op < OP_LAYOUTS)
		printf("%s", layouts[call->op].name);
	else
		printf("%s", plain_names[call->op - OP_PLAIN]);
	printf(" worker=%u%s slot=%u other=%u", call->worker, modes[call->mode], call->slot,
	       call->other);
	for (i = 0; i < call->nr_changes; i++) {
		change = &call->changes[i];
		if (call->op < OP_LAYOUTS)
			show_place(&layouts[call->op], change->member);
		else
			printf(" ");
		if (change->value == VALUE_RAW)
			printf("=0x%llx", change->raw);
		else
			printf("=#%u", change->value);
	}
	printf("\n");
}

void show_input(const struct input *input)
{
	static struct program program;
	unsigned int i;

	input_decode(input, &program);
	for (i = 0; i < program.nr; i++)
		show_call(&program.calls[i]);
}
