/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An input: a string of bytes that stands for a short program of calls. Any string is
 * a program, and always the same one.
 *
 * A call is three bytes and then its changes:
 *
 *	operation
 *	worker (2 bits), mode (2 bits), number of changes (3 bits)
 *	slot (4 bits), another slot (4 bits)
 *	for each change: member, value, and eight bytes more if value is VALUE_RAW
 *
 * A call without changes is a valid one. A change spoils one member of its structure,
 * or is one argument of a call that has no structure. What is missing at the end of
 * the string is zero.
 *
 * Operations with a structure are numbered from 0, the others from 64: each kind may get
 * more at its end, and those inputs that have been kept stay what they are.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <linux/types.h>
#include <stddef.h>

#define INPUT_MAX   400
#define CALLS_MAX   40
#define CHANGES_MAX 7
#define SLOTS	    16
#define WORKERS	    4
#define VALUE_RAW   0xff

enum op {
	/* With a structure: the commands of the header. */
	OP_INFO,
	OP_CREATE,
	OP_OPEN,
	OP_DESTROY,
	OP_LIST,
	OP_STAT,
	OP_SET,
	OP_SEND,
	OP_RECEIVE,
	OP_SEND_BATCH,
	OP_RECEIVE_BATCH,
	OP_ACK,
	OP_NACK,
	OP_EXTEND,
	OP_YIELD,
	OP_NOTIFY,
	OP_RESTRICT,
	OP_REVOKE,
	OP_SENDER,
	OP_CALL,
	OP_REPLY,
	OP_REPLY_RECEIVE,
	OP_SEND_TO,
	OP_RECEIVE_FROM,
	OP_LINKS,
	OP_ALLOW,
	OP_LOAN,
	OP_RETURN,
	OP_LANE_OPEN,
	OP_LANE_WAIT,
	OP_LANE_WAKE,
	OP_LANE_CLOSE,
	OP_LAYOUTS,
	/* By a worker. */
	OP_PLAIN = 64,
	OP_IOCTL = OP_PLAIN,
	OP_READ,
	OP_WRITE,
	OP_READV,
	OP_WRITEV,
	OP_POLL,
	OP_EPOLL_NEW,
	OP_EPOLL_WAIT,
	OP_CLOSE,
	OP_DUP,
	OP_DEVICE,
	OP_NONBLOCK,
	OP_FDINFO,
	OP_MMAP,
	OP_PASS,
	OP_ACCEPT,
	OP_SPAWN,
	OP_BY_WORKER,
	/* By the process that gives the workers their calls. */
	OP_SIGNAL = OP_BY_WORKER,
	OP_KILL,
	OP_KILL_CHILD,
	OP_NAP,
	OP_LIMIT,
	OP_NR,
};

#define NR_PLAIN (OP_NR - OP_PLAIN)

/*
 * When the next call begins. In any case a worker that is still busy with a call is
 * interrupted when it is needed again.
 */
enum mode {
	/* When this one has ended or sleeps. */
	MODE_WAIT,
	/* The same; it may sleep until a deadline that is near has passed. */
	MODE_PATIENT,
	/* At once. */
	MODE_AT_ONCE,
	MODE_AT_ONCE_PATIENT,
};

struct change {
	__u8 member;
	__u8 value;
	__u64 raw;
};

struct call {
	__u8 op;
	__u8 worker;
	__u8 mode;
	__u8 slot;
	__u8 other;
	__u8 nr_changes;
	struct change changes[CHANGES_MAX];
};

struct program {
	unsigned int nr;
	struct call calls[CALLS_MAX];
	/* Where in the string each call begins, and where the last one ends. */
	size_t at[CALLS_MAX + 1];
};

struct input {
	size_t length;
	__u8 bytes[INPUT_MAX];
};

void input_decode(const struct input *input, struct program *program);
/* Its operations by the numbers that they have now, whatever else stands for them. */
void input_settle_ops(struct input *input);
/* The value of the change number @nr of a call without a structure, or @otherwise. */
__u64 call_argument(const struct call *call, unsigned int nr, __u64 otherwise);

#endif
