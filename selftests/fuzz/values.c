// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "shared.h"
#include "values.h"

/* Where something ends, and one more or less. */
static const __u64 numbers[] = {
	63,
	64,
	65,
	99,
	100,
	101,
	127,
	128,
	255,
	256,
	257,
	511,
	512,
	1000,
	1023,
	1024,
	1025,
	2000,
	2048,
	4032,
	4095,
	4096,
	4097,
	8191,
	8192,
	32767,
	32768,
	65535,
	65536,
	65537,
	(1 << 20) - 1,
	1 << 20,
	(1 << 20) + 1,
	8 << 20,
	(16 << 20) - 1,
	16 << 20,
	(16 << 20) + 1,
	0x7fffffff,
	0x80000000,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x7ffffffffffffffe,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffffffff000,
	0xfffffffffffffffe,
	0xffffffffffffffff,
};

#define NR_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static const char *const names[] = { "", "a", "b", "a b", "a/b", "\x1f", "\x7f", "\xc3\xbc", "." };

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

__u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

__u64 number_of(const struct change *change)
{
	if (change->value == VALUE_RAW)
		return change->raw;
	return change->value < 64 ? change->value : numbers[(change->value - 64) % NR_NUMBERS];
}

void name_of(__u8 value, char *name)
{
	memset(name, 0, MAILBOX_NAME_SIZE);
	if (value < NR_NAMES)
		strcpy(name, names[value]);
	else if (value & 1)
		memset(name, 'n', MAILBOX_NAME_SIZE - 1);
	else
		memset(name, 'n', MAILBOX_NAME_SIZE);
}

/* Deadlines that are near are a few milliseconds from now. */
static __u64 time_of(const struct change *change)
{
	switch (change->value & 7) {
	case 0:
		return 0;
	case 1:
		return now_ns() + 1000 * (change->value >> 3);
	case 2:
		return now_ns() + 100000 * (change->value >> 3);
	case 3:
		return now_ns() + 3600 * 1000000000ULL;
	case 4:
		return now_ns() - 1 - (change->value >> 3);
	case 5:
		return 0x7fffffffffffffff;
	case 6:
		return 0xffffffffffffffff;
	default:
		return number_of(change);
	}
}

static __u64 id_of(const struct change *change)
{
	if (change->value < SLOTS)
		return shared->slots[change->value].id;
	if (change->value < 32)
		return shared->last_id + (change->value & 1 ? 1 : -(change->value >> 1 & 7));
	return number_of(change);
}

/* Of the structure's own size, or that of one entry. */
static __u64 size_of(const struct change *change, __u64 known)
{
	if (change->value < 64)
		return known + change->value;
	if (change->value < 128)
		return known - (change->value - 64);
	return number_of(change);
}

static __u64 flags_of(const struct layout *layout, const struct change *change)
{
	if (change->value < 128)
		return change->value;
	if (change->value >= FLAGS_ANSWER && change->value < FLAGS_ANSWER + 16) {
		if (layout->writes_data)
			return MAILBOX_ANSWER | (change->value & 15);
		return (change->value & 8 ? MAILBOX_RECEIPT_WAIT : MAILBOX_RECEIPT) |
		       (change->value & 7);
	}
	if (change->value >= FLAGS_LEASE && change->value < FLAGS_LEASE + 32)
		return MAILBOX_LEASE | (change->value & 31);
	/* Files, also with what is most usual besides. */
	if (change->value >= FLAGS_FILES && change->value < FLAGS_FILES + 32)
		return MAILBOX_FILES | (change->value & 31);
	if (change->value >= FLAGS_FILES + 32 && change->value != VALUE_RAW)
		return MAILBOX_FILES | MAILBOX_LEASE | (change->value & 31);
	return change->value == VALUE_RAW ? change->raw : 1ULL << (change->value & 31);
}

/* Processes, if one bit is set that is high enough. */
static __u64 match_of(const struct change *change)
{
	switch (change->value) {
	case 16:
		return getpid();
	case 32:
	case 64:
		return shared->workers[change->value >> 6].pid;
	case 128:
		return shared->last_child;
	default:
		return number_of(change);
	}
}

/*
 * Never one that is not ours, whatever the number: what is sent to it directly would stay
 * with it for good. To the others in a namespace ours are nobody.
 */
static __u64 pid_of(const struct change *change)
{
	__u8 which = change->value == VALUE_RAW ? change->raw : change->value;

	if (which & 128)
		return 0x7fffffff + (which & 1);
	switch (which & 7) {
	case 0:
		return 0;
	case 1:
		return getpid();
	case 2:
		return shared->last_child;
	case 3:
		return shared->last_reaped;
	default:
		return shared->workers[which & 3].pid;
	}
}

#define ALL_EVENTS ((2 * MAILBOX_EVENT_ABANDONED - 1) | MAILBOX_EVENT_FIRST)

__u64 value_initial(const struct layout *layout, const struct member *member,
		    const struct call *call)
{
	const struct slot *slot = &shared->slots[call->slot];

	if (member->direction == OUT)
		return POISON * 0x0101010101010101ULL;
	/* Of leases, the last one. */
	if (layout->members[2].kind == KIND_LEASES && !strcmp(member->name, "nr"))
		return 1;
	switch (member->kind) {
	case KIND_SIZE:
		return layout->size;
	case KIND_FLAGS:
		/* A server answers, and receives what it is to answer next. */
		return call->op == OP_REPLY_RECEIVE && layout->writes_data ? MAILBOX_ANSWER : 0;
	case KIND_RIGHTS:
		return 7;
	case KIND_MODE:
		return 0666;
	case KIND_DATA:
		return (__u64)(layout->writes_data ? memory.sink : memory.source);
	case KIND_LENGTH:
		return layout->writes_data ? 64 : 8;
	case KIND_ENTRIES:
		return (__u64)memory.entries;
	case KIND_ENTRY_SIZE:
		return layout->entry->size;
	case KIND_NR:
		return 2;
	case KIND_ID:
		/* The newest is what one wants to open; of LIST it is where to begin. */
		return call->op == OP_LIST || slot->kind == FILE_HANDLE ? 0 : shared->last_id;
	case KIND_TIME:
		return now_ns() + 1000000;
	case KIND_LEASES:
		return (__u64)memory.entries;
	case KIND_EVENTS:
		return ALL_EVENTS;
	case KIND_EVENTFD:
		return FD_EVENT;
	case KIND_GRANT:
		return shared->last_grant;
	case KIND_FILES:
		return (__u64)(layout->writes_data ? memory.files : memory.given);
	case KIND_NR_FILES:
		return 2;
	case KIND_LEASE:
		return shared->leases[(shared->nr_leases - 1) % LEASES];
	case KIND_LOAN:
		/* They count up from 1 in each mailbox. */
		return 1;
	case KIND_BORROW:
		return 64;
	case KIND_ANSWER:
		return (__u64)memory.sink;
	case KIND_ROOM:
		return 64;
	case KIND_MESSAGE:
		return (__u64)memory.entries;
	case KIND_PID:
		/* Two by two; who receives takes it from anybody. */
		return call->op == OP_SEND_TO ? shared->workers[call->worker ^ 1].pid : 0;
	case KIND_RECEIPT:
		return slot->fd;
	case KIND_RECEIPT_DATA:
		return (__u64)memory.receipt;
	default:
		return 0;
	}
}

/* Users and groups: that of root, those of the workers, none. */
#define NR_PERSONS 4

static const __u64 persons[NR_PERSONS] = { 0, 1000, 2000, -1 };

__u64 value_changed(const struct layout *layout, const struct member *member,
		    const struct call *call, const struct change *change)
{
	switch (member->kind) {
	case KIND_SIZE:
		return size_of(change, layout->size);
	case KIND_ENTRY_SIZE:
		return size_of(change, layout->entry->size);
	case KIND_FLAGS:
		return flags_of(layout, change);
	case KIND_DATA:
		if (layout->writes_data)
			return memory_address(memory.sink, memory.sink_end, change->value, 64);
		return memory_address(memory.source, memory.source_end, change->value, 8);
	case KIND_ENTRIES:
		return memory_address(memory.entries, memory.entries_end, change->value,
				      2 * layout->entry->size);
	case KIND_ID:
	case KIND_DEAD_LETTER:
		return id_of(change);
	case KIND_LEASES:
		return memory_address(memory.entries, memory.entries_end, change->value,
				      sizeof(shared->leases));
	case KIND_EVENTFD:
		return change->value < SLOTS ? (__u64)shared->slots[change->value].fd :
					       number_of(change);
	case KIND_GRANT:
		return change->value < 16 ? shared->last_grant - change->value : number_of(change);
	case KIND_FILES:
		if (layout->writes_data)
			return memory_address(memory.files, memory.files_end, change->value, 64);
		return memory_address(memory.given, memory.given_end, change->value, 64);
	case KIND_LEASE:
		return change->value < LEASES ? shared->leases[change->value] : number_of(change);
	case KIND_ANSWER:
		return memory_address(memory.sink, memory.sink_end, change->value, 64);
	case KIND_MESSAGE:
		return memory_address(memory.entries, memory.entries_end, change->value,
				      layout->entry->size);
	case KIND_PID:
		return pid_of(change);
	case KIND_PROCESS:
		return change->value == 1 ? shared->last_process : number_of(change);
	case KIND_RECEIPT:
		return change->value < SLOTS ? (__u64)shared->slots[change->value].fd :
					       number_of(change);
	case KIND_RECEIPT_DATA:
		return memory_address(memory.receipt, memory.receipt_end, change->value,
				      sizeof(struct mailbox_receipt));
	case KIND_TIME:
		return time_of(change);
	case KIND_MATCH:
		return match_of(change);
	case KIND_PERSON:
		return change->value < NR_PERSONS ? persons[change->value] : number_of(change);
	case KIND_MODE:
		return change->value < 128 ? (__u64)change->value * 4 + 3 : number_of(change);
	default:
		return call->op == OP_SET && change->value < 8 ? change->value : number_of(change);
	}
}
