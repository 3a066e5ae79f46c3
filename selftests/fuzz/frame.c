// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "frame.h"
#include "shared.h"
#include "values.h"

/* As many entries of an array are made valid, and two of them can be changed. */
#define ENTRIES_VALID	64
#define ENTRIES_CHANGED 2

static void put(__u8 *image, const struct member *member, __u64 value)
{
	if (member->size <= sizeof(value))
		memcpy(image + member->offset, &value, member->size);
	else
		memset(image + member->offset, member->direction == OUT ? POISON : 0, member->size);
}

/* What a sender that is no more has left must be chosen by a number that none has. */
static void complete_select(__u8 *image, const struct layout *layout, const struct member *select)
{
	const struct member *match = layout_member(layout, KIND_MATCH);

	if (member_get(image, select) == MAILBOX_SELECT_SENDER && !member_get(image, match))
		put(image, match, shared->last_reaped);
}

static void put_change(__u8 *image, const struct layout *layout, const struct member *member,
		       const struct call *call, const struct change *change)
{
	if (member->kind == KIND_NAME && member->size == MAILBOX_NAME_SIZE)
		name_of(change->value, (char *)image + member->offset);
	else
		put(image, member, value_changed(layout, member, call, change));
	if (member->kind == KIND_SELECT)
		complete_select(image, layout, member);
}

static void put_initial(__u8 *image, const struct layout *layout, const struct call *call)
{
	const struct member *member;

	for (member = layout->members; member->name; member++)
		put(image, member, value_initial(layout, member, call));
}

unsigned int frame_places(const struct layout *layout)
{
	unsigned int entries = layout_member(layout, KIND_MESSAGE) ? 1 : ENTRIES_CHANGED;

	return SPECIALS + layout_members(layout) +
	       (layout->entry ? entries * layout_members(layout->entry) : 0);
}

unsigned int frame_place_of(const struct layout *layout, enum kind kind)
{
	return SPECIALS + (layout_member(layout, kind) - layout->members);
}

unsigned int frame_place_of_entry(const struct layout *layout, enum kind kind)
{
	return SPECIALS + layout_members(layout) +
	       (layout_member(layout->entry, kind) - layout->entry->members);
}

unsigned int frame_place_named(const struct layout *layout, const char *name)
{
	unsigned int nr = 0;

	while (strcmp(layout->members[nr].name, name))
		nr++;
	return SPECIALS + nr;
}

pid_t frame_pid(const struct frame *frame)
{
	const struct member *pid = layout_member(frame->layout, KIND_PID);

	return pid ? member_get(frame->image, pid) : 0;
}

static void special(struct frame *frame, const struct change *change)
{
	switch (change->member % frame_places(frame->layout)) {
	case SPECIAL_WHERE:
		frame->where = change->value;
		break;
	case SPECIAL_COMMAND:
		/* Another number, or another encoding of size and direction. */
		frame->cmd = change->value < 128 ? frame->cmd ^ change->value :
						   frame->cmd | change->value << 16;
		break;
	case SPECIAL_TAIL:
		if (frame->layout->size + change->value < SPAN_MAX)
			frame->image[frame->layout->size + change->value] = 1;
		break;
	case SPECIAL_FAIL:
		frame->fail_nth = change->value & 31;
		break;
	}
}

void frame_build(struct frame *frame, const struct call *call)
{
	const struct layout *layout = &layouts[call->op];
	unsigned int members = layout_members(layout), place, i;
	__u32 size;

	memset(frame, 0, sizeof(*frame));
	frame->call = call;
	frame->layout = layout;
	frame->cmd = layout->cmd;
	put_initial(frame->image, layout, call);
	for (i = 0; i < call->nr_changes; i++) {
		place = call->changes[i].member % frame_places(layout);
		if (place < SPECIALS)
			special(frame, &call->changes[i]);
		else if (place < SPECIALS + members)
			put_change(frame->image, layout, &layout->members[place - SPECIALS], call,
				   &call->changes[i]);
	}

	memcpy(&size, frame->image, sizeof(size));
	frame->span = size > layout->size && size <= SPAN_MAX ? size : layout->size;
	if (layout_member(layout, KIND_MESSAGE)) {
		frame->entries =
			(__u8 *)member_get(frame->image, layout_member(layout, KIND_MESSAGE));
		frame->entry_size = layout->entry->size;
		frame->nr = 1;
	} else if (layout->entry) {
		frame->entries =
			(__u8 *)member_get(frame->image, layout_member(layout, KIND_ENTRIES));
		frame->entry_size =
			member_get(frame->image, layout_member(layout, KIND_ENTRY_SIZE));
		frame->nr = member_get(frame->image, layout_member(layout, KIND_NR));
	}
}

bool frame_is_list(const struct frame *frame)
{
	return frame->call->op == OP_LIST || frame->call->op == OP_LINKS;
}

/* Each receives into a place of its own. */
static void spread_data(__u8 *entry, const struct layout *layout, unsigned int i)
{
	const struct member *data = layout_member(layout, KIND_DATA);

	if (data && layout->writes_data)
		put(entry, data, (__u64)(memory.sink + 64 * i));
}

static void change_entry(__u8 *entry, const struct frame *frame, unsigned int i)
{
	const struct layout *layout = frame->layout->entry;
	unsigned int first = SPECIALS + layout_members(frame->layout), place, j;
	unsigned int members = layout_members(layout);

	for (j = 0; j < frame->call->nr_changes; j++) {
		place = frame->call->changes[j].member % frame_places(frame->layout);
		if (place < first || (place - first) / members != i)
			continue;
		place = (place - first) % members;
		put_change(entry, layout, &layout->members[place], frame->call,
			   &frame->call->changes[j]);
	}
}

static void place_entries(struct frame *frame)
{
	const struct layout *layout = frame->layout->entry;
	__u8 *entry = frame->entries;
	unsigned int i;

	memset(memory.entries, POISON, ENTRIES_LOOK);
	for (i = 0; i < frame->nr && i < ENTRIES_VALID; i++, entry += frame->entry_size) {
		if (frame->entry_size < layout->size || frame->entry_size > SPAN_MAX ||
		    !memory_within(entry, frame->entry_size, memory.entries, memory.entries_end))
			break;
		if (frame_is_list(frame))
			continue;
		memset(entry, 0, frame->entry_size);
		put_initial(entry, layout, frame->call);
		spread_data(entry, layout, i);
		if (i < ENTRIES_CHANGED)
			change_entry(entry, frame, i);
	}
	memcpy(memory.entries_after, memory.entries, ENTRIES_LOOK);
}

/* The last one first: a change of the number of them adds older ones. */
static void place_leases(const struct frame *frame, const struct member *member)
{
	__u8 *at = (__u8 *)member_get(frame->image, member);
	unsigned int i;

	memset(memory.entries, POISON, ENTRIES_LOOK);
	if (!memory_within(at, sizeof(shared->leases), memory.entries, memory.entries_end))
		return;
	for (i = 0; i < LEASES; i++, at += sizeof(__u64))
		memcpy(at, &shared->leases[(shared->nr_leases - 1 - i) % LEASES], sizeof(__u64));
}

__u8 *frame_receipt(const struct frame *frame)
{
	const struct member *member = layout_member(frame->layout, KIND_RECEIPT_DATA);
	__u8 *at = member ? (__u8 *)member_get(frame->image, member) : NULL;

	return memory_within(at, sizeof(struct mailbox_receipt), memory.receipt,
			     memory.receipt_end) ?
		       at :
		       NULL;
}

static void place_receipt(const struct frame *frame)
{
	const struct mailbox_receipt receipt = { .size = sizeof(receipt) };
	__u8 *at = frame_receipt(frame);

	memset(memory.receipt, POISON, PAGE);
	if (at)
		memcpy(at, &receipt, sizeof(receipt));
}

/* Some command of this structure puts a payload there. */
static bool uses_sink(const struct layout *layout)
{
	return layout->writes_data || layout_member(layout, KIND_ANSWER) ||
	       (layout->entry && layout->entry->writes_data);
}

void frame_place(struct frame *frame)
{
	const struct member *leases = layout_member(frame->layout, KIND_LEASES);

	size_t fits = frame->span;
	unsigned int by = frame->where >> 3;

	memset(memory.args, POISON, ARGS_SIZE);
	if (frame->where)
		frame->at = (__u8 *)memory_address(memory.args, memory.args_end, frame->where,
						   frame->span);
	else
		frame->at = memory.args + 64;
	/* Across the end: what lies before it is as it should be. */
	if ((frame->where & 7) == 2) {
		frame->at = memory.args_end - frame->span + 1 + by;
		fits -= 1 + by;
	}
	frame->whole = memory_within(frame->at, frame->span, memory.args, memory.args_end);
	if (memory_within(frame->at, fits, memory.args, memory.args_end))
		memcpy(frame->at, frame->image, fits);
	memcpy(memory.args_after, memory.args, ARGS_SIZE);
	if (frame->layout->entry)
		place_entries(frame);
	if (leases)
		place_leases(frame, leases);
	if (layout_member(frame->layout, KIND_RECEIPT_DATA))
		place_receipt(frame);
	if (uses_sink(frame->layout))
		memset(memory.sink, POISON, SINK_LOOK);
}
