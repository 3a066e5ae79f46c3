/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_RACES_VICTIM_H
#define SELFTESTS_RACES_VICTIM_H

#include "races.h"

#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/*
 * Part of races.c: a round, and the process that makes the one call of it that waits.
 * Where an event comes from within the process, a second thread of it sees to that.
 */

#define LETTER_MAX 40000
#define BATCH	   2

enum event {
	DESTROY_HANDLE,
	DESTROY_DEVICE,
	CLOSE,
	/* As before, but it is the last handle of the mailbox. */
	CLOSE_LAST,
	EXEC,
	KILL,
	SIGNAL,
	SIGNAL_RESTART,
	DEADLINE,
	REVOKE,
};

enum kind {
	RECEIVE,
	RECEIVE_BATCH,
	RECEIVE_SENDER,
	RECEIVE_LEASE,
	PEEK,
	READ,
	SEND,
	SEND_BATCH,
	RENDEZVOUS,
	WRITE,
	POLL,
	EPOLL,
	NR_KINDS,
};

/* The letters of a round. */
enum { FILLS, OF_PARTNER, OF_RESCUER, OF_VICTIM, OF_VICTIM_TOO };

/* Shared with the victim, and there when it is dead. */
struct stage {
	sem_t woken;
	unsigned int armed;
	/* How many are awake, and then all begin: to wake up takes long. */
	unsigned int ready;
	unsigned int go;
	/* The victim and the partner are about to make their calls. */
	unsigned int calling;
	unsigned int acting;
	unsigned int handled;
	unsigned int closed;
	unsigned int returned;
	pid_t tid;
	int result;
	/* Of a batch: what stopped it. Of all: how many letters were sent or taken. */
	int error;
	uint32_t done;
	unsigned char letters[BATCH][LETTER_MAX];
};

struct round {
	enum event event;
	enum kind kind;
	uint32_t number;
	uint32_t salt;
	uint32_t length;
	/* The victim waits for room, not for a letter. */
	bool sends;
	/* Nothing happens before the victim waits. */
	bool surely;
	bool has_partner;
	/* The event waits for them to begin. */
	bool follows_call;
	bool follows_partner;
	bool main_thread_fires;
	bool rescued;
	bool rescue_sent;
	__u32 capacity;
	uint64_t random;
	/* How long the call may wait from its beginning on. */
	__u64 patience;
	int device;
	/* The test's own handle, or -1, and the victim's. */
	int box;
	int fd;
	int bell;
	int epoll;
	__u64 id;
	/* Of the victim's handle, if it is to be revoked. */
	__u64 grant;
	struct stage *stage;
	struct book book;
};

static inline bool polls(const struct round *round)
{
	return round->kind == POLL || round->kind == EPOLL;
}

static inline bool fires_within(const struct round *round)
{
	return round->event == CLOSE || round->event == CLOSE_LAST || round->event == EXEC;
}

/* The others than the victim's call sleep until it is armed, and are then quick. */
static inline void stage_await_go(struct stage *stage, sem_t *woken)
{
	while (sem_wait(woken))
		;
	flag_raise(&stage->ready);
	race_await(&stage->go, 1);
}

/* Just before the event; where it only follows what the others do, it comes late. */
static inline void stage_await_others(const struct round *round, uint64_t *random)
{
	if (round->follows_call)
		race_await(&round->stage->calling, 1);
	if (round->follows_partner)
		race_await(&round->stage->acting, 1);
	race_delay(random);
}

static struct stage *victim_stage;

static inline void victim_handler(int signal)
{
	(void)signal;
	flag_raise(&victim_stage->handled);
}

static inline int victim_receives(struct round *round, __u32 flags, __u64 deadline)
{
	struct stage *stage = round->stage;
	struct mailbox_receive args = receive_args(stage->letters[0], LETTER_MAX);
	int ret;

	args.flags = flags;
	args.deadline = deadline;
	if (round->kind == PEEK)
		args.flags |= MAILBOX_PEEK;
	if (round->kind == RECEIVE_SENDER) {
		args.select = MAILBOX_SELECT_SENDER;
		args.match = getppid();
	}
	if (round->kind == RECEIVE_LEASE) {
		args.flags |= MAILBOX_LEASE;
		args.lease = 0;
	}
	ret = box_receive(round->fd, &args);
	if (!ret)
		EXPECT_EQ(round->length, args.length);
	/* Its lease ends with the victim: nothing is gone. */
	stage->done = !ret && round->kind != PEEK && round->kind != RECEIVE_LEASE;
	return ret;
}

static inline int victim_sends(struct round *round, __u32 flags, __u64 deadline)
{
	struct mailbox_send args = send_args(round->stage->letters[0], round->length);
	int ret;

	args.flags = flags;
	args.deadline = deadline;
	ret = box_send(round->fd, &args);
	round->stage->done = !ret;
	return ret;
}

static inline int victim_batches(struct round *round, __u32 flags, __u64 deadline)
{
	struct stage *stage = round->stage;
	struct mailbox_receive receive[BATCH];
	struct mailbox_send send[BATCH];
	struct mailbox_batch args = {
		.size = sizeof(args),
		.flags = flags,
		.deadline = deadline,
		.entries = round->sends ? user_pointer(send) : user_pointer(receive),
		.entry_size = round->sends ? sizeof(send[0]) : sizeof(receive[0]),
		.nr = BATCH,
	};
	int ret;

	for (int i = 0; i < BATCH; i++) {
		send[i] = send_args(stage->letters[i], round->length);
		receive[i] = receive_args(stage->letters[i], LETTER_MAX);
		send[i].flags = 0;
		receive[i].flags = 0;
	}
	ret = call(round->fd, round->sends ? MAILBOX_IOC_SEND_BATCH : MAILBOX_IOC_RECEIVE_BATCH,
		   &args);
	stage->done = ret ? 0 : args.done;
	stage->error = ret ? 0 : args.error;
	return ret;
}

/* Readiness as a result of the other calls: 0 for ready, EIDRM for gone, ... */
static inline int result_of_poll(bool ready, bool gone, bool bad, bool rung, int nr)
{
	if (nr < 0)
		return -errno;
	return bad ? -EBADF : gone ? -EIDRM : ready ? 0 : rung ? -ECANCELED : -ETIMEDOUT;
}

static inline int victim_polls(struct round *round)
{
	short events = round->sends ? POLLOUT : POLLIN;
	struct pollfd entries[] = { { .fd = round->fd, .events = events },
				    { .fd = round->bell, .events = POLLIN } };
	struct timespec patience = { .tv_nsec = round->patience };
	bool limited = round->event == DEADLINE;
	int nr = ppoll(entries, 2, limited ? &patience : NULL, NULL);

	return result_of_poll(entries[0].revents & events, entries[0].revents & POLLHUP,
			      entries[0].revents & POLLNVAL, entries[1].revents, nr);
}

static inline int victim_epolls(struct round *round)
{
	bool limited = round->event == DEADLINE;
	struct epoll_event entries[2];
	uint32_t seen = 0;
	bool rung = false;
	int nr = epoll_wait(round->epoll, entries, 2,
			    limited ? (int)(round->patience / 1000000) : -1);

	for (int i = 0; i < nr; i++) {
		if (entries[i].data.fd == round->bell)
			rung = true;
		else
			seen = entries[i].events;
	}
	return result_of_poll(seen, seen & EPOLLHUP, false, rung, nr);
}

static inline int victim_call(struct round *round, __u64 deadline)
{
	__u32 flags = round->event == DEADLINE ? MAILBOX_DEADLINE : 0;
	struct stage *stage = round->stage;
	ssize_t length;

	switch (round->kind) {
	case SEND:
	case RENDEZVOUS:
		return victim_sends(round, flags, deadline);
	case SEND_BATCH:
	case RECEIVE_BATCH:
		return victim_batches(round, flags, deadline);
	case READ:
		length = read(round->fd, stage->letters[0], LETTER_MAX);
		break;
	case WRITE:
		length = write(round->fd, stage->letters[0], round->length);
		break;
	case POLL:
		return victim_polls(round);
	case EPOLL:
		return victim_epolls(round);
	default:
		return victim_receives(round, flags, deadline);
	}
	if (length < 0)
		return -errno;
	EXPECT_EQ(round->length, length);
	stage->done = 1;
	return 0;
}

static inline void *victim_waits(void *arg)
{
	struct round *round = arg;
	struct stage *stage = round->stage;
	uint64_t random = round->random ^ 1;
	__u64 deadline;

	stage->tid = syscall(SYS_gettid);
	flag_raise(&stage->armed);
	if (!round->surely)
		race_await(&stage->go, 1);
	race_delay(&random);
	deadline = now_ns() + round->patience;
	flag_raise(&stage->calling);
	stage->result = victim_call(round, deadline);
	if (stage->result == -ETIMEDOUT && round->kind != EPOLL && round->kind != POLL)
		EXPECT_LE(deadline, now_ns());
	flag_raise(&stage->returned);
	return NULL;
}

/* What this thread execs: it sees that the handle is closed. */
static inline int after_exec(const char *fd)
{
	return fcntl(atoi(fd), F_GETFD) < 0 && errno == EBADF ? KSFT_PASS : KSFT_FAIL;
}

static inline void *victim_fires(void *arg)
{
	struct round *round = arg;
	uint64_t random = round->random ^ 2;
	char fd[16];

	stage_await_go(round->stage, &round->stage->woken);
	stage_await_others(round, &random);
	if (round->event == EXEC) {
		snprintf(fd, sizeof(fd), "%d", round->fd);
		execl("/proc/self/exe", "races", "after-exec", fd, NULL);
		EXPECT_EQ(0, errno);
	}
	EXPECT_EQ(0, close(round->fd));
	flag_raise(&round->stage->closed);
	return NULL;
}

static inline void victim_prepare(struct round *round)
{
	struct sigaction action = { .sa_handler = victim_handler };
	struct epoll_event event = { .events = round->sends ? EPOLLOUT : EPOLLIN };

	victim_stage = round->stage;
	action.sa_flags = round->event == SIGNAL_RESTART ? SA_RESTART : 0;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	if (round->kind != EPOLL)
		return;
	round->epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, round->epoll);
	event.data.fd = round->fd;
	ASSERT_EQ(0, epoll_ctl(round->epoll, EPOLL_CTL_ADD, round->fd, &event));
	event.events = EPOLLIN;
	event.data.fd = round->bell;
	ASSERT_EQ(0, epoll_ctl(round->epoll, EPOLL_CTL_ADD, round->bell, &event));
}

static inline __attribute__((noreturn)) void victim(struct round *round)
{
	bool fires = round->main_thread_fires;
	pthread_t other;

	victim_prepare(round);
	if (fires_within(round)) {
		ASSERT_EQ(0,
			  pthread_create(&other, NULL, fires ? victim_waits : victim_fires, round));
		(fires ? victim_fires : victim_waits)(round);
		ASSERT_EQ(0, pthread_join(other, NULL));
	} else {
		victim_waits(round);
	}
	while (round->event == KILL)
		pause();
	_exit(KSFT_PASS);
}

#endif /* SELFTESTS_RACES_VICTIM_H */
