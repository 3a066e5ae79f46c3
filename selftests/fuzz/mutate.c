// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>

#include "frame.h"
#include "mutate.h"
#include "values.h"
#include "worker.h"

static __u64 state;

void chance_seed(__u64 seed)
{
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
}

__u32 chance(__u32 below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 32) % below;
}

static void splice(struct input *input, size_t at, size_t remove, const __u8 *bytes, size_t add)
{
	if (input->length - remove + add > INPUT_MAX)
		return;
	memmove(input->bytes + at + add, input->bytes + at + remove, input->length - at - remove);
	if (add)
		memcpy(input->bytes + at, bytes, add);
	input->length += add - remove;
}

/* Mostly what makes, fills and empties mailboxes; root, and one call after the other. */
static __u8 random_op(void)
{
	static const __u8 often[] = {
		OP_CREATE,     OP_OPEN,		 OP_SEND,      OP_SEND,	     OP_RECEIVE,
		OP_SEND_BATCH, OP_RECEIVE_BATCH, OP_SET,       OP_STAT,	     OP_NAP,
		OP_ACK,	       OP_NACK,		 OP_EXTEND,    OP_YIELD,     OP_NOTIFY,
		OP_RESTRICT,   OP_REVOKE,	 OP_CALL,      OP_REPLY,     OP_REPLY_RECEIVE,
		OP_LOAN,       OP_LOAN,		 OP_RETURN,    OP_SEND_TO,   OP_RECEIVE_FROM,
		OP_LINKS,      OP_ALLOW,	 OP_LANE_OPEN, OP_LANE_OPEN, OP_LANE_WAIT,
		OP_LANE_WAKE,  OP_LANE_CLOSE,
	};

	return chance(3) ? often[chance(sizeof(often))] :
	       chance(3) ? chance(OP_LAYOUTS) :
			   OP_PLAIN + chance(NR_PLAIN);
}

static bool is_for_device(__u8 op)
{
	return op == OP_CREATE || op == OP_OPEN || (op >= OP_SEND_TO && op <= OP_ALLOW);
}

static __u8 random_slot(void)
{
	return chance(8) ? chance(5) : chance(SLOTS);
}

/* Any, a small one, or one bit. */
static __u8 random_value(void)
{
	switch (chance(3)) {
	case 0:
		return chance(255);
	case 1:
		return chance(12);
	default:
		return 1 << chance(8);
	}
}

static size_t random_call(__u8 *bytes)
{
	__u8 worker = chance(3) ? chance(2) : chance(WORKERS);
	__u8 mode = chance(3) ? MODE_WAIT : chance(4);
	__u8 changes = chance(3) ? chance(2) : chance(CHANGES_MAX + 1);
	size_t length = 3;
	int i;

	bytes[0] = random_op();
	bytes[1] = worker | mode << 2 | changes << 4;
	bytes[2] = random_slot() | random_slot() << 4;
	/* A mailbox is made on a device; whatever else is mostly about a handle. */
	if (is_for_device(bytes[0]))
		bytes[2] = (chance(8) ? 0 : 1) | (2 + chance(3)) << 4;
	for (i = 0; i < changes; i++) {
		bytes[length++] = chance(48);
		bytes[length++] = random_value();
	}
	return length;
}

void input_random(struct input *input)
{
	int calls = 2 + chance(8);
	__u8 bytes[3 + 2 * CHANGES_MAX];
	/* Nothing works without a mailbox. */
	static const __u8 create[] = { OP_CREATE, 0, 0x20 };

	input->length = 0;
	splice(input, 0, 0, create, sizeof(create));
	while (calls--)
		splice(input, input->length, 0, bytes, random_call(bytes));
}

void input_remove(struct input *input, const struct program *program, unsigned int nr)
{
	splice(input, program->at[nr], program->at[nr + 1] - program->at[nr], NULL, 0);
}

static size_t size_of(const struct change *change)
{
	return change->value == VALUE_RAW ? 10 : 2;
}

void input_remove_change(struct input *input, const struct program *program, unsigned int nr,
			 unsigned int change)
{
	const struct call *call = &program->calls[nr];
	size_t at = program->at[nr] + 3;
	unsigned int i;

	for (i = 0; i < change; i++)
		at += size_of(&call->changes[i]);
	/* The last call may lack its end. */
	if (at + size_of(&call->changes[change]) > input->length)
		return;
	input->bytes[program->at[nr] + 1] -= 1 << 4;
	splice(input, at, size_of(&call->changes[change]), NULL, 0);
}

static void mutate_byte(struct input *input)
{
	__u8 *byte = &input->bytes[chance(input->length)];

	switch (chance(4)) {
	case 0:
		*byte ^= 1 << chance(8);
		break;
	case 1:
		*byte += chance(2) ? 1 : -1;
		break;
	case 2:
		*byte = chance(32);
		break;
	default:
		*byte = chance(256);
	}
}

/* A change more for one call. */
static void add_change(struct input *input, const struct program *program)
{
	unsigned int nr = chance(program->nr);
	const struct call *call = &program->calls[nr];
	__u8 change[2] = { chance(48), random_value() };

	if (call->nr_changes == CHANGES_MAX || program->at[nr] + 3 > input->length)
		return;
	input->bytes[program->at[nr] + 1] += 1 << 4;
	splice(input, program->at[nr] + 3, 0, change, sizeof(change));
}

static void copy_call(struct input *input, size_t to, const struct input *from,
		      const struct program *program, unsigned int nr)
{
	__u8 bytes[INPUT_MAX];
	size_t length = program->at[nr + 1] - program->at[nr];

	memcpy(bytes, from->bytes + program->at[nr], length);
	splice(input, to, 0, bytes, length);
}

static void mutate_once(struct input *input, const struct input *other)
{
	struct program program, others;
	__u8 bytes[3 + 2 * CHANGES_MAX];
	unsigned int nr, i;

	input_decode(input, &program);
	if (!program.nr) {
		input_random(input);
		return;
	}
	nr = chance(program.nr);
	switch (chance(9)) {
	case 0:
	case 1:
		mutate_byte(input);
		break;
	case 2:
		splice(input, program.at[nr], 0, bytes, random_call(bytes));
		break;
	case 3:
		splice(input, input->length, 0, bytes, random_call(bytes));
		break;
	case 4:
		if (program.nr > 1)
			input_remove(input, &program, nr);
		break;
	case 5:
		copy_call(input, program.at[chance(program.nr + 1)], input, &program, nr);
		break;
	case 6:
	case 7:
		add_change(input, &program);
		break;
	default:
		input_decode(other, &others);
		for (i = chance(others.nr + 1); i < others.nr; i++)
			copy_call(input, input->length, other, &others, i);
	}
}

/*
 * A process sends, ends, and is then chosen as the sender. A kill reaches nothing by
 * itself, so no input is kept for it, and chance alone hardly ever adds the rest.
 * Seldom, and not of the worker with a namespace: to replace one takes long.
 */
static void add_last_words(struct input *input)
{
	__u8 worker = chance(WORKER_NAMESPACE), slot = 2 + chance(3);
	__u8 select = frame_place_of(&layouts[OP_RECEIVE], KIND_SELECT);
	const __u8 send[] = { OP_SEND, worker, slot };
	const __u8 end[] = { OP_KILL, 0, worker << 4 };
	const __u8 receive[] = { OP_RECEIVE, 1 << 4, slot, select, MAILBOX_SELECT_SENDER };

	splice(input, input->length, 0, send, sizeof(send));
	splice(input, input->length, 0, end, sizeof(end));
	splice(input, input->length, 0, receive, sizeof(receive));
}

/* A lease is taken and perhaps ended. Chance alone hardly ever does both. */
static void add_lease(struct input *input)
{
	__u8 worker = chance(WORKER_NAMESPACE), slot = 2 + chance(3);
	__u8 flags = frame_place_of(&layouts[OP_RECEIVE], KIND_FLAGS);
	const __u8 send[] = { OP_SEND, worker, slot };
	const __u8 receive[] = { OP_RECEIVE, worker | 1 << 4, slot, flags,
				 FLAGS_LEASE | MAILBOX_NONBLOCK };
	const __u8 end[] = { OP_ACK + chance(3), worker, slot };

	splice(input, input->length, 0, send, sizeof(send));
	splice(input, input->length, 0, receive, sizeof(receive));
	if (chance(2))
		splice(input, input->length, 0, end, sizeof(end));
}

/* Files travel, and arrive: likewise. */
static void add_files(struct input *input)
{
	__u8 worker = chance(WORKER_NAMESPACE), slot = 2 + chance(3);
	const __u8 send[] = { OP_SEND, worker | 1 << 4, slot,
			      frame_place_of(&layouts[OP_SEND], KIND_FLAGS),
			      FLAGS_FILES | MAILBOX_NONBLOCK };
	const __u8 receive[] = { OP_RECEIVE, worker | 1 << 4, slot,
				 frame_place_of(&layouts[OP_RECEIVE], KIND_FLAGS),
				 FLAGS_FILES + 32 * chance(2) + MAILBOX_NONBLOCK };

	splice(input, input->length, 0, send, sizeof(send));
	splice(input, input->length, 0, receive, sizeof(receive));
}

static void append(struct input *input, const __u8 *bytes, size_t length)
{
	splice(input, input->length, 0, bytes, length);
}

/* One calls; another answers, or does something else with what it has. */
static void add_call(struct input *input)
{
	static const __u8 ends[] = { OP_REPLY, OP_REPLY_RECEIVE, OP_REPLY, OP_ACK,
				     OP_NACK,  OP_SENDER,	 OP_CLOSE, OP_KILL };
	__u8 caller = chance(WORKER_NAMESPACE), slot = 2 + chance(3);
	__u8 server = (caller + 1 + chance(2)) % WORKER_NAMESPACE;
	const __u8 call[] = { OP_CALL, caller, slot };
	const __u8 receive[] = { OP_RECEIVE, server | 1 << 4, slot,
				 frame_place_of(&layouts[OP_RECEIVE], KIND_FLAGS),
				 (chance(4) ? FLAGS_ANSWER : FLAGS_LEASE) | MAILBOX_NONBLOCK };
	const __u8 end[] = { ends[chance(sizeof(ends))], server, slot | caller << 4 };

	append(input, call, sizeof(call));
	append(input, receive, sizeof(receive));
	append(input, end, sizeof(end));
}

/* One sends to the other, which mostly receives. */
static void add_direct(struct input *input)
{
	__u8 worker = chance(WORKER_PLAIN);
	const __u8 send[] = { OP_SEND_TO, worker, 0 };
	const __u8 receive[] = { OP_RECEIVE_FROM, (worker ^ 1) | 1 << 4, 0,
				 frame_place_of_entry(&layouts[OP_RECEIVE_FROM], KIND_FLAGS),
				 MAILBOX_NONBLOCK };
	const __u8 identify[] = { OP_SEND_TO, worker | 1 << 4, 0,
				  frame_place_of(&layouts[OP_SEND_TO], KIND_FLAGS), 128 + 13 };
	const __u8 allow[] = { OP_ALLOW, (worker ^ 1) | 1 << 4, 0,
			       frame_place_named(&layouts[OP_ALLOW], "who"), chance(3) };
	const __u8 links[] = { OP_LINKS, worker, 0 };
	const __u8 end[] = { OP_KILL, 0, worker << 4 };

	if (!chance(4))
		append(input, identify, sizeof(identify));
	if (!chance(4))
		append(input, allow, sizeof(allow));
	append(input, send, sizeof(send));
	if (!chance(4))
		append(input, links, sizeof(links));
	if (!chance(4))
		append(input, end, sizeof(end));
	if (chance(4))
		append(input, receive, sizeof(receive));
}

/* A broadcast, which has a second handle, and what one of both is to get. */
static void add_broadcast(struct input *input)
{
	const struct layout *create = &layouts[OP_CREATE];
	const __u8 calls[] = { OP_CREATE,
			       2 << 4,
			       2 << 4,
			       frame_place_named(create, "policy"),
			       MAILBOX_POLICY_BROADCAST,
			       frame_place_named(create, "on_full"),
			       MAILBOX_ON_FULL_OVERWRITE,
			       OP_OPEN,
			       0,
			       3 << 4,
			       OP_SEND,
			       0,
			       2,
			       OP_RECEIVE,
			       chance(2) | 1 << 4,
			       2 + chance(2),
			       frame_place_of(&layouts[OP_RECEIVE], KIND_FLAGS),
			       MAILBOX_NONBLOCK };

	append(input, calls, sizeof(calls));
}

/* A sender is told of the end of its message; or waits, which a receiver ends. */
static void add_receipt(struct input *input)
{
	__u8 worker = chance(WORKER_NAMESPACE), slot = 2 + chance(3);
	const __u8 send[] = { OP_SEND, worker | 1 << 4, slot,
			      frame_place_of(&layouts[OP_SEND], KIND_FLAGS),
			      FLAGS_RECEIPT + 8 * chance(2) };
	const __u8 receive[] = { OP_RECEIVE, ((worker + 1) % WORKER_NAMESPACE) | 1 << 4, slot,
				 frame_place_of(&layouts[OP_RECEIVE], KIND_FLAGS),
				 (chance(2) ? 0 : FLAGS_LEASE) | MAILBOX_NONBLOCK };

	append(input, send, sizeof(send));
	append(input, receive, sizeof(receive));
	if (chance(2))
		append(input, receive, sizeof(receive));
}

void input_mutate(struct input *input, const struct input *other)
{
	int times = 1 + chance(4);

	while (times--)
		mutate_once(input, other);
	if (!chance(20))
		add_last_words(input);
	if (!chance(20))
		add_lease(input);
	if (!chance(20))
		add_files(input);
	if (!chance(12))
		add_call(input);
	if (!chance(12))
		add_direct(input);
	if (!chance(30))
		add_broadcast(input);
	if (!chance(20))
		add_receipt(input);
}
