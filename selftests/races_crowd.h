/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_RACES_CROWD_H
#define SELFTESTS_RACES_CROWD_H

#include "races.h"

#include <pthread.h>

/*
 * Part of races_threads.c: what each of the threads does again and again.
 */

#define LETTER_MAX 5000
#define ROOM	   8192
#define BATCH	   3

enum task {
	/* These send. */
	SEND,
	SEND_TOO,
	SEND_BATCH,
	WRITE,
	NR_SENDERS,
	/* These take. */
	RECEIVE = NR_SENDERS,
	RECEIVE_TOO,
	RECEIVE_BATCH,
	RECEIVE_MOVED,
	READ,
	/* And these do neither. */
	PEEK,
	POLL,
	STAT,
	SET,
	REOPEN,
	MOVE,
	NR_TASKS,
};

static const char *const task_names[NR_TASKS] = {
	[SEND] = "send",
	[SEND_TOO] = "send too",
	[SEND_BATCH] = "send a batch",
	[WRITE] = "write",
	[RECEIVE] = "receive",
	[RECEIVE_TOO] = "receive too",
	[RECEIVE_BATCH] = "receive a batch",
	[RECEIVE_MOVED] = "receive into moved memory",
	[READ] = "read",
	[PEEK] = "peek",
	[POLL] = "poll",
	[STAT] = "stat",
	[SET] = "set",
	[REOPEN] = "close and open",
	[MOVE] = "move memory",
};

struct crowd;

struct worker {
	struct crowd *crowd;
	pthread_t thread;
	pid_t tid;
	bool ended;
	/* How often it has done what it is to do, and in vain. */
	unsigned int done;
	unsigned int failed;
	uint64_t random;
	unsigned char letters[BATCH][ROOM];
};

struct crowd {
	int device;
	/* The number that all use; now and then there is no handle behind it. */
	int fd;
	/* A handle that stays. */
	int keeper;
	__u64 id;
	__u32 capacity;
	__u32 on_full;
	uint32_t letters;
	bool stop;
	unsigned char *moved;
	struct worker workers[NR_TASKS];
	/* How often, by sender and number. */
	unsigned char *taken[NR_SENDERS];
};

static inline uint32_t length_of(uint32_t number)
{
	return number % 16 ? sizeof(struct letter) + number % 100 : LETTER_MAX - number % 1000;
}

static inline void enter_taken(struct crowd *crowd, const void *from, uint32_t length)
{
	struct letter letter;
	int number;

	memcpy(&letter, from, sizeof(letter));
	ASSERT_LT(letter.salt, NR_SENDERS);
	ASSERT_EQ(length_of(letter.number), length);
	number = letter_read(from, letter.salt, length);
	ASSERT_LE(0, number);
	ASSERT_LT(number, crowd->letters);
	EXPECT_EQ(0, __atomic_fetch_add(&crowd->taken[letter.salt][number], 1, __ATOMIC_RELAXED))
	TH_LOG("letter %d of '%s' was taken again", number, task_names[letter.salt]);
}

static inline int send_one(struct worker *worker, enum task task)
{
	uint32_t length = length_of(worker->done);
	struct mailbox_send args = send_args(worker->letters[0], length);
	ssize_t written;

	letter_write(worker->letters[0], task, worker->done, length);
	if (task == WRITE) {
		written = write(worker->crowd->fd, worker->letters[0], length);
		if (written < 0)
			return -errno;
		EXPECT_EQ(length, written);
		return 1;
	}
	args.flags = 0;
	args.priority = worker->done % 3;
	return box_send(worker->crowd->fd, &args) ?: 1;
}

static inline int send_some(struct worker *worker)
{
	uint32_t left = worker->crowd->letters - worker->done;
	struct mailbox_send entries[BATCH];
	struct mailbox_batch args = {
		.size = sizeof(args),
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = left < BATCH ? left : BATCH,
	};
	int ret;

	for (uint32_t i = 0; i < args.nr; i++) {
		uint32_t number = worker->done + i, length = length_of(number);

		letter_write(worker->letters[i], SEND_BATCH, number, length);
		entries[i] = send_args(worker->letters[i], length);
		entries[i].flags = 0;
	}
	ret = call(worker->crowd->fd, MAILBOX_IOC_SEND_BATCH, &args);
	return ret ? ret : (int)args.done;
}

static inline int receive_one(struct worker *worker, unsigned char *to, __u32 flags)
{
	struct mailbox_receive args = receive_args(to, ROOM);
	int ret;

	args.flags = flags;
	ret = box_receive(worker->crowd->fd, &args);
	if (ret)
		return ret;
	if (flags & MAILBOX_PEEK)
		EXPECT_LE(0, letter_read(to, ((struct letter *)to)->salt, args.length));
	else
		enter_taken(worker->crowd, to, args.length);
	return 1;
}

static inline int receive_some(struct worker *worker)
{
	struct mailbox_receive entries[BATCH];
	struct mailbox_batch args = {
		.size = sizeof(args),
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = BATCH,
	};
	int ret;

	for (int i = 0; i < BATCH; i++) {
		entries[i] = receive_args(worker->letters[i], ROOM);
		entries[i].flags = 0;
	}
	ret = call(worker->crowd->fd, MAILBOX_IOC_RECEIVE_BATCH, &args);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < args.done; i++)
		enter_taken(worker->crowd, worker->letters[i], entries[i].length);
	return args.done;
}

static inline int read_one(struct worker *worker)
{
	ssize_t length = read(worker->crowd->fd, worker->letters[0], ROOM);

	if (length < 0)
		return -errno;
	enter_taken(worker->crowd, worker->letters[0], length);
	return 1;
}

static inline int poll_once(struct worker *worker)
{
	struct pollfd entry = { .fd = worker->crowd->fd };

	entry.events = below(&worker->random, 2) ? POLLIN : POLLOUT;
	if (poll(&entry, 1, -1) < 0)
		return -errno;
	if (entry.revents & POLLNVAL)
		return -EBADF;
	EXPECT_EQ(0, entry.revents & POLLHUP);
	return 1;
}

static inline int stat_once(struct worker *worker)
{
	struct mailbox_stat stat;
	int ret = box_stat_try(worker->crowd->fd, &stat);

	if (ret)
		return ret;
	EXPECT_EQ(stat.sent, stat.received + stat.overwritten + stat.messages);
	EXPECT_LE(1, stat.handles);
	EXPECT_TRUE(stat.messages || !stat.bytes);
	return 1;
}

static inline int set_once(struct worker *worker)
{
	struct crowd *crowd = worker->crowd;
	struct mailbox_set args = { .size = sizeof(args), .flags = MAILBOX_SET_ON_FULL };
	uint64_t *random = &worker->random;

	/* Never to what the variant does not have: then nothing may be overwritten. */
	args.on_full = below(random, crowd->on_full == MAILBOX_ON_FULL_OVERWRITE ? 3 : 2);
	if (crowd->capacity == MAILBOX_CAPACITY_BOUNDED) {
		args.flags |= MAILBOX_SET_MAX_MESSAGES | MAILBOX_SET_MAX_BYTES;
		args.max_messages = 1 + below(random, 8);
		args.max_bytes = ROOM + below(random, ROOM);
	}
	return call(crowd->fd, MAILBOX_IOC_SET, &args) ?: 1;
}

/* Close the handle under all others, at once or after a while without any. */
static inline int reopen(struct worker *worker)
{
	struct crowd *crowd = worker->crowd;
	int fd = box_open(crowd->device, crowd->id, NULL, RIGHTS_ALL);

	ASSERT_LE(0, fd);
	if (below(&worker->random, 4) == 0) {
		EXPECT_EQ(0, close(crowd->fd));
		race_delay(&worker->random);
	}
	ASSERT_EQ(crowd->fd, dup3(fd, crowd->fd, O_CLOEXEC));
	EXPECT_EQ(0, close(fd));
	race_delay(&worker->random);
	return 1;
}

/* What a receiver is writing to becomes read-only for a while. */
static inline int move(struct worker *worker)
{
	unsigned char *moved = worker->crowd->moved;

	ASSERT_EQ(0, mprotect(moved, ROOM, PROT_READ));
	race_delay(&worker->random);
	ASSERT_EQ(0, mprotect(moved, ROOM, PROT_READ | PROT_WRITE));
	race_delay(&worker->random);
	return 1;
}

/* How often it succeeded, or a negative errno. */
static inline int do_once(struct worker *worker, enum task task)
{
	switch (task) {
	case SEND_BATCH:
		return send_some(worker);
	case RECEIVE:
	case RECEIVE_TOO:
		return receive_one(worker, worker->letters[0], 0);
	case RECEIVE_BATCH:
		return receive_some(worker);
	case RECEIVE_MOVED:
		return receive_one(worker, worker->crowd->moved, 0);
	case READ:
		return read_one(worker);
	case PEEK:
		return receive_one(worker, worker->letters[0], MAILBOX_PEEK);
	case POLL:
		return poll_once(worker);
	case STAT:
		return stat_once(worker);
	case SET:
		return set_once(worker);
	case REOPEN:
		return reopen(worker);
	case MOVE:
		return move(worker);
	default:
		return send_one(worker, task);
	}
}

static inline bool is_allowed(enum task task, int ret)
{
	if (ret == -EBADF)
		return true;
	if (ret == -EINTR)
		return task < STAT;
	if (ret == -EAGAIN)
		return task < NR_SENDERS;
	return ret == -EFAULT && task == RECEIVE_MOVED;
}

#endif /* SELFTESTS_RACES_CROWD_H */
