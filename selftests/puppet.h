/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_PUPPET_H
#define SELFTESTS_PUPPET_H

#include "common_grant.h"
#include "passing.h"

/*
 * Processes that do as they are told, one call after the other: so that it is plain which
 * process opens, uses and closes what, and in which order.
 */

enum what { OPEN, SEND, RECEIVE, YIELD, POLL, HANG_UP, CLOSE, DUP, TAKE, RESTRICT, EXEC, EXIT };

struct order {
	enum what what;
	int fd;
	__u64 id;
	/* Of SEND and RECEIVE; of OPEN and RESTRICT the rights; of POLL the events. */
	__u32 flags;
	__u64 deadline;
	char text[16];
};

struct answer {
	int result;
	__u64 grant;
	char text[16];
};

struct puppet {
	pid_t pid;
	int socket;
};

/* Those that live, so that a test need not end them all itself. */
static pid_t puppets_living[16];

static inline pid_t *puppet_place(pid_t pid)
{
	unsigned int i;

	for (i = 0; puppets_living[i] != pid; i++)
		ASSERT_LT(i, ARRAY_SIZE(puppets_living) - 1);
	return &puppets_living[i];
}

static inline void puppets_end(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(puppets_living); i++)
		if (puppets_living[i])
			child_kill(puppets_living[i]);
	memset(puppets_living, 0, sizeof(puppets_living));
}

static inline int box_yield(int fd)
{
	struct mailbox_yield args = { .size = sizeof(args) };

	return call(fd, MAILBOX_IOC_YIELD, &args);
}

/* Whatever the first message is, without waiting: its length, or a negative errno. */
static inline int box_try(int fd)
{
	char text[16];

	return box_receive_text(fd, text, sizeof(text));
}

static inline int puppet_send(const struct order *order)
{
	struct mailbox_send args = send_args(order->text, strlen(order->text));

	args.flags = order->flags;
	args.deadline = order->deadline;
	return box_send(order->fd, &args);
}

static inline int puppet_receive(const struct order *order, char *text, size_t room)
{
	struct mailbox_receive args = receive_args(text, room - 1);
	int ret;

	args.flags = order->flags;
	args.deadline = order->deadline;
	ret = box_receive(order->fd, &args);
	text[ret ? 0 : args.length] = '\0';
	return ret;
}

static inline int puppet_do(int device, int socket, const struct order *order,
			    struct answer *answer)
{
	switch (order->what) {
	case OPEN:
		return box_open(device, order->id, NULL, order->flags);
	case SEND:
		return puppet_send(order);
	case RECEIVE:
		return puppet_receive(order, answer->text, sizeof(answer->text));
	case YIELD:
		return box_yield(order->fd);
	case POLL:
		return poll_now(order->fd, order->flags);
	case HANG_UP:
		poll(&(struct pollfd){ .fd = order->fd }, 1, -1);
		return poll_now(order->fd, 0);
	case CLOSE:
		return close(order->fd);
	case DUP:
		return fcntl(order->fd, F_DUPFD_CLOEXEC, 0);
	case TAKE:
		return take_descriptor(socket);
	case RESTRICT:
		return box_restrict_try(order->fd, order->flags, &answer->grant);
	case EXEC:
		/* All that it has open is close-on-exec, but what "cat" needs. */
		dup2(socket, 0);
		dup2(socket, 1);
		execl("/bin/busybox", "cat", NULL);
		return -errno;
	case EXIT:
		_exit(0);
	}
	return -EINVAL;
}

/* What is open at the start it inherits. */
static inline struct puppet puppet_new(int device)
{
	struct puppet puppet;
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets));
	puppet.socket = sockets[0];
	puppet.pid = child_fork();
	if (!puppet.pid) {
		struct order order;

		close(sockets[0]);
		while (read(sockets[1], &order, sizeof(order)) == sizeof(order)) {
			struct answer answer = { 0 };

			answer.result = puppet_do(device, sockets[1], &order, &answer);
			if (write(sockets[1], &answer, sizeof(answer)) != sizeof(answer))
				break;
		}
		_exit(0);
	}
	close(sockets[1]);
	*puppet_place(0) = puppet.pid;
	return puppet;
}

/* It begins; what it comes to is told later. */
static inline void puppet_tell(const struct puppet *puppet, const struct order *order)
{
	ASSERT_EQ(sizeof(*order), write(puppet->socket, order, sizeof(*order)));
}

/* What it received, if anything, is compared with text. */
static inline int puppet_answer(const struct puppet *puppet, const char *text)
{
	struct answer answer;

	ASSERT_EQ(sizeof(answer), read(puppet->socket, &answer, sizeof(answer)));
	if (text)
		EXPECT_STREQ(text, answer.text);
	return answer.result;
}

static inline int puppet_ask(const struct puppet *puppet, const struct order *order)
{
	puppet_tell(puppet, order);
	return puppet_answer(puppet, NULL);
}

static inline int puppet_open(const struct puppet *puppet, __u64 id, __u32 rights)
{
	return puppet_ask(puppet, &(struct order){ .what = OPEN, .id = id, .flags = rights });
}

/* From a handle that it has; its grant is told too. */
static inline int puppet_restricts(const struct puppet *puppet, int fd, __u32 rights, __u64 *grant)
{
	struct answer answer;

	puppet_tell(puppet, &(struct order){ .what = RESTRICT, .fd = fd, .flags = rights });
	ASSERT_EQ(sizeof(answer), read(puppet->socket, &answer, sizeof(answer)));
	*grant = answer.grant;
	return answer.result;
}

static inline int puppet_sends(const struct puppet *puppet, int fd, const char *text)
{
	struct order order = { .what = SEND, .fd = fd, .flags = MAILBOX_NONBLOCK };

	snprintf(order.text, sizeof(order.text), "%s", text);
	return puppet_ask(puppet, &order);
}

static inline int puppet_receives(const struct puppet *puppet, int fd, const char *text)
{
	puppet_tell(puppet,
		    &(struct order){ .what = RECEIVE, .fd = fd, .flags = MAILBOX_NONBLOCK });
	return puppet_answer(puppet, text);
}

/*
 * Without MAILBOX_NONBLOCK; it is left waiting, as one of so many receivers or senders,
 * as the caller sees it through a handle of its own.
 */
static inline void puppet_waits(const struct puppet *puppet, enum what what, int fd, int watch,
				int waiters)
{
	bool sends = what == SEND;

	puppet_tell(puppet, &(struct order){ .what = what, .fd = fd, .text = "waits" });
	wait_waiters(watch, sends ? -1 : waiters, sends ? waiters : -1);
	wait_sleeping(puppet->pid, puppet->pid);
}

static inline int puppet_polls(const struct puppet *puppet, int fd, short events)
{
	return puppet_ask(puppet, &(struct order){ POLL, .fd = fd, .flags = events });
}

static inline int puppet_does(const struct puppet *puppet, enum what what, int fd)
{
	return puppet_ask(puppet, &(struct order){ .what = what, .fd = fd });
}

static inline int puppet_is_passed(const struct puppet *puppet, int fd)
{
	puppet_tell(puppet, &(struct order){ .what = TAKE });
	pass_descriptor(puppet->socket, fd);
	return puppet_answer(puppet, NULL);
}

static inline void puppet_kill(const struct puppet *puppet)
{
	child_kill(puppet->pid);
	*puppet_place(puppet->pid) = 0;
	close(puppet->socket);
}

/* By itself, closing nothing before. */
static inline void puppet_exit(const struct puppet *puppet)
{
	puppet_tell(puppet, &(struct order){ .what = EXIT });
	child_done(puppet->pid);
	*puppet_place(puppet->pid) = 0;
	close(puppet->socket);
}

/* What comes back is what was written: by then all close-on-exec is closed. */
static inline void puppet_exec(const struct puppet *puppet)
{
	char byte = 0;

	puppet_tell(puppet, &(struct order){ .what = EXEC });
	ASSERT_EQ(1, write(puppet->socket, "x", 1));
	ASSERT_EQ(1, read(puppet->socket, &byte, 1));
	ASSERT_EQ('x', byte);
}

#endif /* SELFTESTS_PUPPET_H */
