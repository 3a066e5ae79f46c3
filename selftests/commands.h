/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every call of the interface, for tests of rules that hold for all of them.
 */
#ifndef SELFTESTS_COMMANDS_H
#define SELFTESTS_COMMANDS_H

#include "common_call.h"
#include "common_direct.h"
#include "common_grant.h"
#include "common_loan.h"

#include <pthread.h>
#include <sys/eventfd.h>

struct command {
	const char *name;
	unsigned long number;
	__u32 size;
	/* Of its first version; 0: the same. */
	__u32 least;
	/* Flags that the call takes. */
	__u32 flags;
	bool device;
	bool handle;
};

#define SET_FIELDS \
	(MAILBOX_SET_MODE | MAILBOX_SET_UID | MAILBOX_SET_GID | MAILBOX_SET_PERMANENT | \
	 MAILBOX_SET_ON_FULL | MAILBOX_SET_SHARE | MAILBOX_SET_MESSAGE_SIZE | \
	 MAILBOX_SET_MAX_MESSAGES | MAILBOX_SET_MAX_BYTES | MAILBOX_SET_REGION_SIZE | \
	 MAILBOX_SET_NAME)

#define DEVICE_ONLY true, false
#define HANDLE_ONLY false, true

static const struct command commands[] = {
	{ "INFO", MAILBOX_IOC_INFO, sizeof(struct mailbox_info), 0, 0, true, true },
	{ "CREATE", MAILBOX_IOC_CREATE, sizeof(struct mailbox_create), 320,
	  MAILBOX_NONBLOCK | MAILBOX_PERMANENT | MAILBOX_FIXED_SIZE | MAILBOX_CUT_OFF |
		  MAILBOX_STREAM,
	  DEVICE_ONLY },
	{ "OPEN", MAILBOX_IOC_OPEN, sizeof(struct mailbox_open), 0,
	  MAILBOX_NONBLOCK | MAILBOX_CUT_OFF | MAILBOX_STREAM, DEVICE_ONLY },
	{ "DESTROY", MAILBOX_IOC_DESTROY, sizeof(struct mailbox_destroy), 0, 0, true, true },
	{ "LIST", MAILBOX_IOC_LIST, sizeof(struct mailbox_list), 0, 0, DEVICE_ONLY },
	{ "SEND_TO", MAILBOX_IOC_SEND_TO, sizeof(struct mailbox_direct), 0, MAILBOX_IDENTIFY,
	  DEVICE_ONLY },
	{ "RECEIVE_FROM", MAILBOX_IOC_RECEIVE_FROM, sizeof(struct mailbox_direct), 0, 0,
	  DEVICE_ONLY },
	{ "LINKS", MAILBOX_IOC_LINKS, sizeof(struct mailbox_links), 0, 0, DEVICE_ONLY },
	{ "ALLOW", MAILBOX_IOC_ALLOW, sizeof(struct mailbox_allow), 0, 0, DEVICE_ONLY },
	{ "STAT", MAILBOX_IOC_STAT, sizeof(struct mailbox_stat), 416, 0, HANDLE_ONLY },
	{ "SET", MAILBOX_IOC_SET, sizeof(struct mailbox_set), 56, SET_FIELDS, HANDLE_ONLY },
	{ "NOTIFY", MAILBOX_IOC_NOTIFY, sizeof(struct mailbox_notify), 0,
	  MAILBOX_NOTIFY_ONCE | MAILBOX_NOTIFY_EXCLUSIVE, true, true },
	{ "SEND", MAILBOX_IOC_SEND, sizeof(struct mailbox_send), 56,
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_NO_RESTART | MAILBOX_EXPIRES |
		  MAILBOX_RECEIPT | MAILBOX_RECEIPT_WAIT | MAILBOX_FILES | MAILBOX_LOAN,
	  HANDLE_ONLY },
	{ "RECEIVE", MAILBOX_IOC_RECEIVE, sizeof(struct mailbox_receive), 104,
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_NO_RESTART | MAILBOX_PEEK |
		  MAILBOX_TRUNCATE | MAILBOX_LEASE | MAILBOX_ANSWER | MAILBOX_FILES | MAILBOX_LOAN,
	  HANDLE_ONLY },
	{ "SEND_BATCH", MAILBOX_IOC_SEND_BATCH, sizeof(struct mailbox_batch), 0,
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_NO_RESTART, HANDLE_ONLY },
	{ "RECEIVE_BATCH", MAILBOX_IOC_RECEIVE_BATCH, sizeof(struct mailbox_batch), 0,
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_NO_RESTART, HANDLE_ONLY },
	{ "ACK", MAILBOX_IOC_ACK, sizeof(struct mailbox_lease), 0, 0, HANDLE_ONLY },
	{ "NACK", MAILBOX_IOC_NACK, sizeof(struct mailbox_lease), 0, 0, HANDLE_ONLY },
	{ "EXTEND", MAILBOX_IOC_EXTEND, sizeof(struct mailbox_lease), 0, 0, HANDLE_ONLY },
	{ "YIELD", MAILBOX_IOC_YIELD, sizeof(struct mailbox_yield), 0, 0, HANDLE_ONLY },
	{ "RESTRICT", MAILBOX_IOC_RESTRICT, sizeof(struct mailbox_restrict), 0,
	  MAILBOX_NONBLOCK | MAILBOX_STREAM, HANDLE_ONLY },
	{ "REVOKE", MAILBOX_IOC_REVOKE, sizeof(struct mailbox_revoke), 0, MAILBOX_REVOKE_ALL,
	  HANDLE_ONLY },
	{ "CALL", MAILBOX_IOC_CALL, sizeof(struct mailbox_call), 0,
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_TRUNCATE, HANDLE_ONLY },
	{ "REPLY", MAILBOX_IOC_REPLY, sizeof(struct mailbox_reply), 0, 0, HANDLE_ONLY },
	{ "REPLY_RECEIVE", MAILBOX_IOC_REPLY_RECEIVE, sizeof(struct mailbox_reply), 0, 0,
	  HANDLE_ONLY },
	{ "SENDER", MAILBOX_IOC_SENDER, sizeof(struct mailbox_sender), 0, 0, HANDLE_ONLY },
	{ "LOAN", MAILBOX_IOC_LOAN, sizeof(struct mailbox_loan), 0,
	  MAILBOX_NONBLOCK | MAILBOX_DEADLINE, HANDLE_ONLY },
	{ "RETURN", MAILBOX_IOC_RETURN, sizeof(struct mailbox_return), 0, 0, HANDLE_ONLY },
};

/* Of a handle too, but of no mailbox that has one receiver, as that of the others. */
static const struct command lane_commands[] = {
	{ "LANE_OPEN", MAILBOX_IOC_LANE_OPEN, sizeof(struct mailbox_lane_open), 0,
	  MAILBOX_LANE_RECEIVE, HANDLE_ONLY },
	{ "LANE_WAIT", MAILBOX_IOC_LANE_WAIT, sizeof(struct mailbox_lane_wait), 0,
	  MAILBOX_LANE_RECEIVE | MAILBOX_NONBLOCK | MAILBOX_DEADLINE, HANDLE_ONLY },
	{ "LANE_WAKE", MAILBOX_IOC_LANE_WAKE, sizeof(struct mailbox_lane_wake), 0,
	  MAILBOX_LANE_RECEIVE, HANDLE_ONLY },
	{ "LANE_CLOSE", MAILBOX_IOC_LANE_CLOSE, sizeof(struct mailbox_lane_close), 0,
	  MAILBOX_LANE_RECEIVE, HANDLE_ONLY },
};

static inline bool is_about_leases(const struct command *command)
{
	return command->number == MAILBOX_IOC_ACK || command->number == MAILBOX_IOC_NACK ||
	       command->number == MAILBOX_IOC_EXTEND;
}

/* No other message has it. */
#define TYPE_LEASED 0x1ea5ed

/* Calls have one, which a thread waits for; and those a thread sends another. */
#define TYPE_SERVED 0x5e17ed
#define TYPE_ASKED  0xa5ced

/* Threads, since the mailbox has one receiver, and that is this process. */
struct partner {
	int fd;
	unsigned int begun;
};

static inline void *partner_serves(void *arg)
{
	struct partner *partner = arg;
	struct mailbox_receive args = serve_args(NULL, 0);
	struct mailbox_reply reply;

	args.flags |= MAILBOX_TRUNCATE;
	args.select = MAILBOX_SELECT_TYPE;
	args.match = TYPE_SERVED;
	flag_raise(&partner->begun);
	if (!box_receive(partner->fd, &args)) {
		reply = reply_args(args.lease, "answer", 6);
		call(partner->fd, MAILBOX_IOC_REPLY, &reply);
	}
	flag_raise(&partner->begun);
	return NULL;
}

static inline void *partner_asks(void *arg)
{
	struct partner *partner = arg;
	struct mailbox_call args = call_args("ask", 3, NULL, 0);

	args.type = TYPE_ASKED;
	args.flags = MAILBOX_TRUNCATE;
	flag_raise(&partner->begun);
	box_call(partner->fd, &args);
	flag_raise(&partner->begun);
	return NULL;
}

static inline struct partner *partner_start(int fd, void *(*function)(void *))
{
	struct partner *partner = calloc(1, sizeof(*partner));
	pthread_t thread;

	ASSERT_TRUE(partner);
	partner->fd = fd;
	ASSERT_EQ(0, pthread_create(&thread, NULL, function, partner));
	pthread_detach(thread);
	flag_await(&partner->begun, 1);
	return partner;
}

/* What the pointers of the prepared calls lead to. */
struct payload {
	char data[16];
	struct mailbox_stat stat;
	struct mailbox_link link;
	struct mailbox_send send;
	struct mailbox_receive receive;
	__u64 lease;
	/* 0: there is none yet. */
	int eventfd;
	/* A handle that can be revoked; likewise. */
	int derived;
};

static inline void prepare_reply(int fd, void *argument, struct payload *payload, bool receives)
{
	struct mailbox_receive args = serve_args(NULL, 0);
	struct mailbox_reply *reply = argument;

	partner_start(fd, partner_asks);
	args.flags |= MAILBOX_TRUNCATE;
	args.select = MAILBOX_SELECT_TYPE;
	args.match = TYPE_ASKED;
	ASSERT_EQ(0, box_receive(fd, &args));
	*reply = reply_args(args.lease, payload->data, sizeof(payload->data));
	payload->receive.flags = MAILBOX_NONBLOCK;
	if (receives)
		reply->receive = user_pointer(&payload->receive);
}

static inline void prepare_call(int fd, void *argument, struct payload *payload)
{
	struct mailbox_call *args = argument;

	*args = call_args(payload->data, 1, payload->data, sizeof(payload->data));
	args->type = TYPE_SERVED;
	/* One that has not been called yet waits still. */
	if (box_stat(fd).receivers)
		return;
	partner_start(fd, partner_serves);
	wait_waiters(fd, 1, -1);
}

/*
 * That a message waits for this process. Another user sends it, who pays: what that one has
 * goes a moment after it has ended, and is not to be seen in what this user has.
 */
static inline void prepare_direct(int device, struct payload *payload)
{
	struct mailbox_allow allow = { .size = sizeof(allow), .who = MAILBOX_ALLOW_ANYBODY };
	struct mailbox_receive look = receive_args(NULL, 0);
	struct mailbox_direct args = { .size = sizeof(args), .message = user_pointer(&look) };
	pid_t child;

	ASSERT_EQ(0, call(device, MAILBOX_IOC_ALLOW, &allow));
	look.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	if (!call(device, MAILBOX_IOC_RECEIVE_FROM, &args))
		return;
	args.pid = getpid();
	args.message = user_pointer(&payload->send);
	child = child_fork();
	if (!child) {
		if (setuid(65533) && is_root())
			_exit(KSFT_FAIL);
		_exit(call(device, MAILBOX_IOC_SEND_TO, &args) ? KSFT_FAIL : KSFT_PASS);
	}
	child_done(child);
}

/*
 * A call that succeeds on a mailbox of MAILBOX_POLICY_ONE that holds a message and has
 * room; what is behind the structure is left alone. Those about leases get a message of their own.
 */
static inline void command_prepare(const struct command *command, int fd, bool device,
				   void *argument, struct payload *payload)
{
	struct mailbox_stat stat = box_stat(fd);

	memset(argument, 0, command->size);
	memcpy(argument, &command->size, sizeof(command->size));
	payload->send = send_args(payload->data, sizeof(payload->data));
	payload->send.flags = 0;
	payload->receive = receive_args(payload->data, sizeof(payload->data));
	payload->receive.flags = 0;

	switch (command->number) {
	case MAILBOX_IOC_CREATE:
		*(struct mailbox_create *)argument = create_args();
		break;
	case MAILBOX_IOC_OPEN: {
		struct mailbox_open *args = argument;

		args->id = stat.id;
		args->rights = RIGHTS_ALL;
		break;
	}
	case MAILBOX_IOC_DESTROY:
		if (device)
			((struct mailbox_destroy *)argument)->id = stat.id;
		break;
	case MAILBOX_IOC_LIST: {
		struct mailbox_list *args = argument;

		args->entries = user_pointer(&payload->stat);
		args->entry_size = sizeof(payload->stat);
		args->nr = 1;
		break;
	}
	case MAILBOX_IOC_SEND_TO: {
		struct mailbox_direct *args = argument;

		/* The parent gets nothing. */
		args->flags = MAILBOX_IDENTIFY;
		args->pid = getppid();
		break;
	}
	case MAILBOX_IOC_RECEIVE_FROM: {
		struct mailbox_direct *args = argument;
		int opened = open(DEVICE, O_RDWR | O_CLOEXEC);

		prepare_direct(opened, payload);
		close(opened);
		args->message = user_pointer(&payload->receive);
		break;
	}
	case MAILBOX_IOC_LINKS: {
		struct mailbox_links *args = argument;

		args->entries = user_pointer(&payload->link);
		args->entry_size = sizeof(payload->link);
		args->nr = 1;
		break;
	}
	case MAILBOX_IOC_NOTIFY: {
		struct mailbox_notify *args = argument;

		if (!payload->eventfd)
			payload->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_LT(0, payload->eventfd);
		args->events = MAILBOX_EVENT_MESSAGE;
		args->eventfd = payload->eventfd;
		break;
	}
	case MAILBOX_IOC_SEND:
		*(struct mailbox_send *)argument = send_args(payload->data, sizeof(payload->data));
		break;
	case MAILBOX_IOC_RECEIVE:
		*(struct mailbox_receive *)argument =
			receive_args(payload->data, sizeof(payload->data));
		break;
	case MAILBOX_IOC_SEND_BATCH:
	case MAILBOX_IOC_RECEIVE_BATCH: {
		struct mailbox_batch *args = argument;
		bool send = command->number == MAILBOX_IOC_SEND_BATCH;

		args->flags = MAILBOX_NONBLOCK;
		args->entries = send ? user_pointer(&payload->send) :
				       user_pointer(&payload->receive);
		args->entry_size = send ? sizeof(payload->send) : sizeof(payload->receive);
		args->nr = 1;
		break;
	}
	case MAILBOX_IOC_YIELD: {
		struct mailbox_receive args = receive_args(NULL, 0);

		/* To no end but that of having the right. */
		args.select = MAILBOX_SELECT_TYPE;
		args.match = TYPE_LEASED;
		ASSERT_EQ(-EAGAIN, box_receive(fd, &args));
		break;
	}
	case MAILBOX_IOC_RESTRICT:
		*(struct mailbox_restrict *)argument = restrict_args(RIGHTS_ALL);
		break;
	case MAILBOX_IOC_REVOKE: {
		struct mailbox_revoke *args = argument;
		__u64 grant;

		if (payload->derived)
			close(payload->derived);
		payload->derived = box_restrict(fd, RIGHTS_ALL, &grant);
		args->grant = grant;
		break;
	}
	case MAILBOX_IOC_SENDER:
		ASSERT_EQ(0, box_send_text(fd, "leased", TYPE_LEASED, 0));
		((struct mailbox_sender *)argument)->lease = box_lease_type(fd, TYPE_LEASED);
		break;
	case MAILBOX_IOC_LOAN:
		if (!stat.region_size)
			ASSERT_EQ(0, region_set(fd, 1));
		*(struct mailbox_loan *)argument = loan_args(1);
		break;
	case MAILBOX_IOC_RETURN:
		if (!stat.region_size)
			ASSERT_EQ(0, region_set(fd, 1));
		((struct mailbox_return *)argument)->loan = box_loan(fd, 1).loan;
		break;
	case MAILBOX_IOC_ACK:
	case MAILBOX_IOC_NACK:
	case MAILBOX_IOC_EXTEND:
		ASSERT_EQ(0, box_send_text(fd, "leased", TYPE_LEASED, 0));
		payload->lease = box_lease_type(fd, TYPE_LEASED);
		*(struct mailbox_lease *)argument = lease_args(&payload->lease, 1);
		break;
	case MAILBOX_IOC_CALL:
		prepare_call(fd, argument, payload);
		break;
	case MAILBOX_IOC_REPLY:
	case MAILBOX_IOC_REPLY_RECEIVE:
		prepare_reply(fd, argument, payload, command->number != MAILBOX_IOC_REPLY);
		break;
	}
}

#endif /* SELFTESTS_COMMANDS_H */
