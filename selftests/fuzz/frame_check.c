// SPDX-License-Identifier: GPL-2.0
/*
 * What a call may have written, and must have.
 */
#include <errno.h>
#include <string.h>

#include "frame.h"
#include "shared.h"

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

	if (frame_is_list(frame)) {
		memcpy(&list, frame->at, sizeof(list));
		return ret ? frame->nr : list.nr;
	}
	if (ret || layout_member(frame->layout, KIND_MESSAGE))
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

static bool is_receipt(const __u8 *at, size_t length)
{
	struct mailbox_receipt receipt;

	if (length != sizeof(receipt))
		return false;
	memcpy(&receipt, at, sizeof(receipt));
	return receipt.size == sizeof(receipt) && receipt.end >= MAILBOX_END_RECEIVED &&
	       receipt.end <= MAILBOX_END_PENDING && receipt.sequence && receipt.mailbox;
}

bool frame_is_payload(const __u8 *data, size_t length)
{
	return memory_is(data, PAYLOAD, length) || is_receipt(data, length);
}

static void check_link(const struct mailbox_link *link)
{
	if (!link->pid || link->pid == link->peer || !link->number || !link->created)
		fail("LINKS: number %llu, %d and %d", link->number, link->pid, link->peer);
}

/* Of a message whose sender has waited for it. */
static void check_receipt(const struct frame *frame)
{
	struct mailbox_receipt receipt;
	struct mailbox_send send;
	const __u8 *at = frame_receipt(frame);

	memcpy(&send, frame->at, sizeof(send));
	if (!at || !(send.flags & MAILBOX_RECEIPT_WAIT) || send.size < sizeof(send))
		return;
	memcpy(&receipt, at, sizeof(receipt));
	if (!is_receipt(at, sizeof(receipt)) || receipt.sequence != send.sequence ||
	    receipt.cookie != send.cookie)
		fail("a receipt: size %u, end %u, number %llu of %llu", receipt.size, receipt.end,
		     receipt.sequence, send.sequence);
	if (!memory_is(memory.receipt, POISON, at - memory.receipt) ||
	    !memory_is(at + sizeof(receipt), POISON, memory.receipt_end - at - sizeof(receipt)))
		fail("more was written than a receipt");
}

static void check_answer(const struct frame *frame)
{
	struct mailbox_call call;
	__u64 answer;
	bool cut;

	memcpy(&call, frame->at, sizeof(call));
	answer = call.answer;
	cut = call.answer_length > call.room;
	if (call.result != (cut ? MAILBOX_TRUNCATED : 0))
		fail("a call said result %u, %u bytes, with room for %u", call.result,
		     call.answer_length, call.room);
	if (call.answer_length < call.room)
		call.room = call.answer_length;
	if (memory_within((void *)answer, call.room, memory.sink, memory.sink_end) &&
	    !memory_is((void *)answer, PAYLOAD, call.room))
		fail("an answer of %u bytes, and not those that were sent", call.room);
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
	if (receive.result & ~(2 * MAILBOX_HAS_FILES - 1) || !receive.sequence)
		fail("a receive said result %u, number %llu", receive.result, receive.sequence);
	if (receive.flags & MAILBOX_LEASE ||
	    (receive.flags & MAILBOX_ANSWER && receive.result & MAILBOX_IS_CALL))
		shared->leases[shared->nr_leases++ % LEASES] = receive.lease;
	if (receive.result & MAILBOX_IS_RECEIPT) {
		if (receive.length != sizeof(struct mailbox_receipt))
			fail("received a receipt of %u bytes", receive.length);
		return;
	}
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
		if (!frame_is_list(frame))
			continue;
		/* Its tail is cleared. */
		memcpy(memory.entries_after + (entry - memory.entries), entry, frame->entry_size);
		if (ret || frame->entry_size < layout->size)
			continue;
		if (frame->call->op == OP_LIST)
			check_stat((struct mailbox_stat *)entry, "LIST");
		else
			check_link((struct mailbox_link *)entry);
		if (!memory_is(entry + layout->size, 0, frame->entry_size - layout->size))
			fail("%s left a tail as it was", frame->layout->name);
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

/* The one message of a structure that has one, if it was received. */
static void check_message_received(const struct frame *frame)
{
	struct mailbox_reply reply;

	memcpy(&reply, frame->at, sizeof(reply));
	if (frame->call->op == OP_REPLY_RECEIVE && reply.error)
		return;
	if (memory_within(frame->entries, frame->entry_size, memory.entries, memory.entries_end))
		check_received(frame->entries);
}

/* What the module does not know it must refuse. */
static void check_refused(const struct frame *frame)
{
	const struct layout *layout = frame->layout;
	const struct member *member;

	if (!memory_is(frame->image + layout->size, 0, frame->span - layout->size))
		fail("%s took a tail that it cannot know", layout->name);
	for (member = layout->members; member->name; member++) {
		if (member->kind == KIND_FLAGS &&
		    member_get(frame->image, member) & ~(__u64)layout->flags)
			fail("%s took flags that it does not know", layout->name);
		/* That of a send is for receipts, which are not asked for here. */
		if (!strcmp(member->name, "reserved") && member->direction == IN &&
		    layout != &layouts[OP_SEND] && member_get(frame->image, member))
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
	switch (frame->call->op) {
	case OP_STAT:
		if (((struct mailbox_stat *)frame->at)->size >= layout->size)
			check_stat((struct mailbox_stat *)frame->at, "STAT");
		break;
	case OP_SEND:
		check_receipt(frame);
		break;
	case OP_CALL:
		check_answer(frame);
		break;
	case OP_RECEIVE:
		check_received(frame->at);
		break;
	case OP_RECEIVE_BATCH:
		check_batch_received(frame);
		break;
	case OP_REPLY_RECEIVE:
	case OP_RECEIVE_FROM:
		check_message_received(frame);
		break;
	}
}
