// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "frame.h"
#include "shared.h"
#include "values.h"

/* As many entries of an array are made valid, and two of them can be changed. */
#define ENTRIES_VALID	64
#define ENTRIES_CHANGED 2

static const struct member *find_member(const struct layout *layout, enum kind kind)
{
	const struct member *member;

	for (member = layout->members; member->name; member++)
		if (member->kind == kind)
			return member;
	return NULL;
}

static void put(__u8 *image, const struct member *member, __u64 value)
{
	if (member->size <= sizeof(value))
		memcpy(image + member->offset, &value, member->size);
	else
		memset(image + member->offset, member->direction == OUT ? POISON : 0, member->size);
}

static __u64 get(const __u8 *image, const struct member *member)
{
	__u64 value = 0;

	memcpy(&value, image + member->offset, member->size);
	return value;
}

/* What a sender that is no more has left must be chosen by a number that none has. */
static void complete_select(__u8 *image, const struct layout *layout, const struct member *select)
{
	const struct member *match = find_member(layout, KIND_MATCH);

	if (get(image, select) == MAILBOX_SELECT_SENDER && !get(image, match))
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
	return SPECIALS + layout_members(layout) +
	       (layout->entry ? ENTRIES_CHANGED * layout_members(layout->entry) : 0);
}

unsigned int frame_place_of(const struct layout *layout, enum kind kind)
{
	return SPECIALS + (find_member(layout, kind) - layout->members);
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
	if (layout->entry) {
		frame->entries = (__u8 *)get(frame->image, find_member(layout, KIND_ENTRIES));
		frame->entry_size = get(frame->image, find_member(layout, KIND_ENTRY_SIZE));
		frame->nr = get(frame->image, find_member(layout, KIND_NR));
	}
}

/* Each receives into a place of its own. */
static void spread_data(__u8 *entry, const struct layout *layout, unsigned int i)
{
	const struct member *data = find_member(layout, KIND_DATA);

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
		if (frame->call->op == OP_LIST)
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
	__u8 *at = (__u8 *)get(frame->image, member);
	unsigned int i;

	memset(memory.entries, POISON, ENTRIES_LOOK);
	if (!memory_within(at, sizeof(shared->leases), memory.entries, memory.entries_end))
		return;
	for (i = 0; i < LEASES; i++, at += sizeof(__u64))
		memcpy(at, &shared->leases[(shared->nr_leases - 1 - i) % LEASES], sizeof(__u64));
}

void frame_place(struct frame *frame)
{
	const struct member *leases = find_member(frame->layout, KIND_LEASES);

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
	if (frame->layout->writes_data)
		memset(memory.sink, POISON, SINK_LOOK);
}

/*
 * Whatever the kernel wrote into the members that are out is right; also into the first
 * part of one, when memory ends within it.
 */
static void accept_out(const struct layout *layout, const __u8 *at, __u8 *after, size_t room)
{
	const struct member *member;
	size_t size;

	for (member = layout->members; member->name; member++) {
		if (member->direction == IN || member->offset >= room)
			continue;
		size = room - member->offset < member->size ? room - member->offset : member->size;
		memcpy(after + member->offset, at + member->offset, size);
	}
}

static void check_args(struct frame *frame, int ret)
{
	const struct layout *layout = frame->layout;
	const struct member *member;
	size_t offset = frame->at - memory.args;
	__u32 size;

	/* Also what fits before the hole, if it begins before that. */
	if (memory_within(frame->at, 0, memory.args, memory.args_end))
		accept_out(layout, frame->at, memory.args_after + offset, ARGS_SIZE - offset);
	if (memcmp(memory.args, memory.args_after, ARGS_SIZE))
		fail("%s wrote to more than what is out", layout->name);
	if (ret || !frame->whole || frame->fail_nth || frame->cmd != layout->cmd)
		return;
	/* A structure of an earlier version ends before some of them. */
	memcpy(&size, frame->image, sizeof(size));
	for (member = layout->members; member->name; member++)
		if (member->direction == OUT && member->size >= 4 &&
		    member->offset + member->size <= size &&
		    memory_is(frame->at + member->offset, POISON, member->size))
			fail("%s did not write %s", layout->name, member->name);
}

/* How many entries from the first on the kernel may have written to. */
static __u64 written(const struct frame *frame, int ret)
{
	struct mailbox_batch batch;
	struct mailbox_list list;

	if (frame->call->op == OP_LIST) {
		memcpy(&list, frame->at, sizeof(list));
		return ret ? frame->nr : list.nr;
	}
	if (ret)
		return 1;
	memcpy(&batch, frame->at, sizeof(batch));
	if (batch.done > frame->nr || !batch.done || (batch.error && batch.done == frame->nr))
		fail("%s did %u of %llu, error %d", frame->layout->name, batch.done, frame->nr,
		     batch.error);
	return batch.done + 1ULL < frame->nr ? batch.done + 1 : frame->nr;
}

static void check_stat(const struct mailbox_stat *stat, const char *where)
{
	if (stat->sent != stat->received + stat->expired + stat->overwritten + stat->dead +
				  stat->dropped + stat->messages)
		fail("%s: sent %llu, there %llu; gone %llu + %llu + %llu + %llu + %llu", where,
		     stat->sent, stat->messages, stat->received, stat->expired, stat->overwritten,
		     stat->dead, stat->dropped);
	if (stat->leased > stat->messages || stat->subscribers > stat->handles)
		fail("%s: %llu leased, %u subscribers", where, stat->leased, stat->subscribers);
	if (!stat->id || !memchr(stat->name, 0, sizeof(stat->name)) ||
	    (!stat->handles && !(stat->flags & MAILBOX_PERMANENT)))
		fail("%s: id %llu, %u handles", where, stat->id, stat->handles);
}

/* What was received, of a structure that succeeded. */
static void check_received(const __u8 *at)
{
	struct mailbox_receive receive;
	__u64 data;

	memcpy(&receive, at, sizeof(receive));
	data = receive.data;
	if (receive.length < receive.room)
		receive.room = receive.length;
	if (receive.result & ~(MAILBOX_TRUNCATED | MAILBOX_IS_CALL | MAILBOX_HAS_FILES) ||
	    !receive.sequence)
		fail("a receive said result %u, number %llu", receive.result, receive.sequence);
	if (receive.flags & MAILBOX_LEASE)
		shared->leases[shared->nr_leases++ % LEASES] = receive.lease;
	if (memory_within((void *)data, receive.room, memory.sink, memory.sink_end) &&
	    !memory_is((void *)data, PAYLOAD, receive.room))
		fail("received %u bytes, and not those that were sent", receive.room);
}

static void check_entries(struct frame *frame, int ret)
{
	const struct layout *layout = frame->layout->entry;
	__u64 nr = frame->whole ? written(frame, ret) : ret ? 1 : frame->nr, i;
	__u8 *entry = frame->entries;

	if (frame->entry_size < layout_least(layout) || frame->entry_size > PAGE)
		nr = 0;
	for (i = 0; i < nr; i++, entry += frame->entry_size) {
		if (!memory_within(entry, frame->entry_size, memory.entries,
				   memory.entries + ENTRIES_LOOK))
			break;
		accept_out(layout, entry, memory.entries_after + (entry - memory.entries),
			   frame->entry_size);
		if (frame->call->op != OP_LIST)
			continue;
		/* Its tail is cleared. */
		memcpy(memory.entries_after + (entry - memory.entries), entry, frame->entry_size);
		if (ret || frame->entry_size < layout->size)
			continue;
		check_stat((struct mailbox_stat *)entry, "LIST");
		if (!memory_is(entry + layout->size, 0, frame->entry_size - layout->size))
			fail("LIST left a tail as it was");
	}
	/* Entries that lie only half within what is looked at. */
	if (nr && i < nr)
		return;
	if (memcmp(memory.entries, memory.entries_after, ENTRIES_LOOK))
		fail("%s wrote to more entries than it did", frame->layout->name);
}

static void check_batch_received(const struct frame *frame)
{
	struct mailbox_batch batch;
	const __u8 *entry = frame->entries;
	__u32 i;

	memcpy(&batch, frame->at, sizeof(batch));
	for (i = 0; i < batch.done; i++, entry += frame->entry_size)
		if (memory_within(entry, frame->entry_size, memory.entries, memory.entries_end))
			check_received(entry);
}

/* What the module does not know it must refuse. */
static void check_refused(const struct frame *frame)
{
	const struct layout *layout = frame->layout;
	const struct member *member;

	if (!memory_is(frame->image + layout->size, 0, frame->span - layout->size))
		fail("%s took a tail that it cannot know", layout->name);
	for (member = layout->members; member->name; member++) {
		if (member->kind == KIND_FLAGS && get(frame->image, member) & ~(__u64)layout->flags)
			fail("%s took flags that it does not know", layout->name);
		/* That of a send is for receipts, which are not asked for here. */
		if (!strcmp(member->name, "reserved") && member->direction == IN &&
		    layout != &layouts[OP_SEND] && get(frame->image, member))
			fail("%s took a reserved member", layout->name);
	}
}

void frame_check(struct frame *frame, int ret)
{
	const struct layout *layout = frame->layout;

	if (ret && !layout_has_error(frame->layout, -ret) && frame->cmd == frame->layout->cmd)
		fail("%s failed with %s, which the header does not list", frame->layout->name,
		     strerrorname_np(-ret) ?: "an unknown number");
	/* Another command may write other members, and one that fails half way, fewer. */
	if (frame->cmd != frame->layout->cmd)
		return;
	check_args(frame, ret);
	if (!ret)
		check_refused(frame);
	if (frame->fail_nth)
		return;
	if (frame->layout->entry)
		check_entries(frame, ret);
	if (ret || !frame->whole)
		return;
	if (frame->call->op == OP_STAT && ((struct mailbox_stat *)frame->at)->size >= layout->size)
		check_stat((struct mailbox_stat *)frame->at, "STAT");
	else if (frame->call->op == OP_RECEIVE)
		check_received(frame->at);
	else if (frame->call->op == OP_RECEIVE_BATCH)
		check_batch_received(frame);
}
