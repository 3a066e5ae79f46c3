// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that were built when the structures of messages were shorter, or will be when they
 * are longer, also where such a structure is named by another one. It is built for 64 and for
 * 32 bits. That each command knows the length of its own structure is in device.c.
 */
#include "common_call.h"
#include "common_direct.h"
#include "common_files.h"

#include <stddef.h>

/* The first versions, and what came later. */
#define SEND_LEAST     offsetof(struct mailbox_send, receipt)
#define RECEIVE_LEAST  offsetof(struct mailbox_receive, lease)
#define RECEIVE_ANSWER offsetof(struct mailbox_receive, nr_files)
#define SEND_FILES     offsetof(struct mailbox_send, loan)
#define RECEIVE_FILES  offsetof(struct mailbox_receive, give_back)

FIXTURE(older)
{
	int device;
	int fd;
	struct caller *caller;
};

FIXTURE_SETUP(older)
{
	self->device = device_open();
	self->fd = box_new(self->device);
	self->caller = caller_new();
}

FIXTURE_TEARDOWN(older)
{
	close(self->fd);
	close(self->device);
}

/* A structure of which no more is there than so many bytes. */
static void *cut(const void *args, __u32 size)
{
	char *start = edge_new(size);

	memcpy(start, args, size);
	memcpy(start, &size, sizeof(size));
	return start;
}

/* Before there were regions, and before names could be changed. */
TEST_F(older, sets_are_read_no_further_than_they_go)
{
	static const __u32 sizes[] = { offsetof(struct mailbox_set, region_size),
				       offsetof(struct mailbox_set, name) };
	struct mailbox_set args = { .flags = MAILBOX_SET_SHARE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		args.share = 10 + i;
		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SET, cut(&args, sizes[i])));
		EXPECT_EQ(10 + i, box_stat(self->fd).share);
	}
}

static struct mailbox_send *cut_send(__u32 size)
{
	struct mailbox_send args = send_args("text", 4);

	return cut(&args, size);
}

/* As an entry of a batch, which says for all whether they wait. */
static void *entry(void *args)
{
	/* All have them there. */
	((struct mailbox_send *)args)->flags = 0;
	return args;
}

static char received[8];

static struct mailbox_receive *cut_receive(__u32 size)
{
	struct mailbox_receive args = receive_args(received, sizeof(received));

	memset(received, 0, sizeof(received));
	return cut(&args, size);
}

#define FOR_EACH_SIZE(size, type, least) \
	for (__u32 size = (least); size <= sizeof(struct type); size += 4)

static void expect_text(const struct mailbox_receive *args, __u32 result)
{
	EXPECT_EQ(4, args->length);
	EXPECT_EQ(0, memcmp("text", received, 4));
	EXPECT_EQ(result, args->result);
	EXPECT_EQ(getpid(), args->pid);
	EXPECT_EQ(0, args->deliveries);
}

TEST_F(older, sends)
{
	FOR_EACH_SIZE(size, mailbox_send, SEND_LEAST)
	{
		struct mailbox_send *args = cut_send(size);
		struct mailbox_receive receive = receive_args(received, sizeof(received));

		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_SEND, args)) TH_LOG("%u bytes", size);
		EXPECT_NE(POISON64, args->sequence);
		EXPECT_EQ(1, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, entry(cut_send(size)),
				       size, 1));
		EXPECT_EQ(0, box_receive(self->fd, &receive));
		expect_text(&receive, 0);
		EXPECT_EQ(0, box_receive(self->fd, &receive));
		expect_text(&receive, 0);
	}
}

TEST_F(older, receives)
{
	FOR_EACH_SIZE(size, mailbox_receive, RECEIVE_LEAST)
	{
		struct mailbox_receive *args = cut_receive(size);

		ASSERT_EQ(0, box_send_text(self->fd, "text", 0, 0));
		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_RECEIVE, args)) TH_LOG("%u bytes", size);
		expect_text(args, 0);
		ASSERT_EQ(0, box_send_text(self->fd, "text", 0, 0));
		args = cut_receive(size);
		EXPECT_EQ(1, box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, entry(args), size, 1));
		expect_text(args, 0);
	}
}

/* It gets the payload, and is told that there was more. */
TEST_F(older, receives_a_message_with_files)
{
	FOR_EACH_SIZE(size, mailbox_receive, RECEIVE_LEAST)
	{
		struct mailbox_receive *args = cut_receive(size);
		struct witness witness = witness_new();

		ASSERT_EQ(0, box_send_files(self->fd, "text", &witness.writer, 1));
		close(witness.writer);
		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_RECEIVE, args)) TH_LOG("%u bytes", size);
		expect_text(args, MAILBOX_HAS_FILES);
		witness_await_end(&witness);
		close(witness.reader);
	}
}

/* It cannot answer, and who called is told at once. */
TEST_F(older, receives_a_call)
{
	FOR_EACH_SIZE(size, mailbox_receive, RECEIVE_LEAST)
	{
		pid_t child = caller_queued(self->caller, self->fd, "text");
		struct mailbox_receive *args = cut_receive(size);

		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_RECEIVE, args)) TH_LOG("%u bytes", size);
		EXPECT_EQ(MAILBOX_IS_CALL, args->result);
		EXPECT_EQ(child, args->pid);
		caller_ends(self->caller, child, -ECANCELED);
	}
}

static void *with_flag(void *args, __u32 flag)
{
	/* Both have it there. */
	((struct mailbox_send *)args)->flags |= flag;
	return args;
}

/* What has no place for it may not ask for it. */
TEST_F(older, has_no_members_for_what_it_asks)
{
	struct witness witness = witness_new();
	struct mailbox_send send = send_files_args("text", &witness.writer, 1);
	struct mailbox_receive *args;
	pid_t child;

	FOR_EACH_SIZE(size, mailbox_send, SEND_LEAST)
	if (size < SEND_FILES)
		EXPECT_EQ(-EINVAL, call(self->fd, MAILBOX_IOC_SEND, cut(&send, size)));
	EXPECT_EQ(0, box_stat(self->fd).messages);
	/* Just long enough. */
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_SEND, cut(&send, SEND_FILES)));
	FOR_EACH_SIZE(size, mailbox_receive, RECEIVE_LEAST)
	if (size < RECEIVE_FILES)
		EXPECT_EQ(-EINVAL, call(self->fd, MAILBOX_IOC_RECEIVE,
					with_flag(cut_receive(size), MAILBOX_FILES)));
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_RECEIVE, cut_receive(sizeof(*args))));
	witness_end(&witness);

	child = caller_queued(self->caller, self->fd, "text");
	FOR_EACH_SIZE(size, mailbox_receive, RECEIVE_LEAST)
	if (size < RECEIVE_ANSWER)
		EXPECT_EQ(-EINVAL, call(self->fd, MAILBOX_IOC_RECEIVE,
					with_flag(cut_receive(size), MAILBOX_ANSWER)));
	EXPECT_EQ(0, box_stat(self->fd).leased);
	/* Just long enough. */
	args = with_flag(cut_receive(RECEIVE_ANSWER), MAILBOX_ANSWER);
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_RECEIVE, args));
	EXPECT_EQ(63, args->answer_room);
	EXPECT_EQ(0, box_reply(self->fd, args->lease, "answer"));
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("answer", self->caller->answer);
}

TEST_F(older, answers_and_receives)
{
	FOR_EACH_SIZE(size, mailbox_receive, RECEIVE_LEAST)
	{
		pid_t child = caller_queued(self->caller, self->fd, "text");
		__u64 token = box_serve(self->fd);
		struct mailbox_receive *args = cut_receive(size);
		struct mailbox_reply reply = reply_args(token, "answer", 6);

		ASSERT_EQ(0, box_send_text(self->fd, "text", 0, 0));
		reply.receive = user_pointer(args);
		EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
		EXPECT_EQ(0, reply.error) TH_LOG("%u bytes", size);
		expect_text(args, 0);
		caller_ends(self->caller, child, 0);
		EXPECT_STREQ("answer", self->caller->answer);
	}
}

/* The inbox of this process has one message. */
static void send_to_parent(int device, void *args)
{
	pid_t child = child_fork();

	if (!child)
		_exit(direct_call(device, MAILBOX_IOC_SEND_TO, getppid(), args) ? KSFT_FAIL :
										  KSFT_PASS);
	child_done(child);
}

TEST_F(older, sends_and_receives_directly)
{
	FOR_EACH_SIZE(size, mailbox_send, SEND_LEAST)
	{
		struct mailbox_receive args = receive_args(received, sizeof(received));

		send_to_parent(self->device, cut_send(size));
		EXPECT_EQ(0, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, 0, &args));
		EXPECT_EQ(4, args.length);
	}
	FOR_EACH_SIZE(size, mailbox_receive, RECEIVE_LEAST)
	{
		struct mailbox_receive *args = cut_receive(size);

		send_to_parent(self->device, cut_send(sizeof(struct mailbox_send)));
		EXPECT_EQ(0, direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, 0, args))
		TH_LOG("%u bytes", size);
		EXPECT_EQ(4, args->length);
		EXPECT_EQ(0, memcmp("text", received, 4));
	}
}

/* A structure that names another: what that one has, and how long it is. */
enum outer { SEND_TO, RECEIVE_FROM, REPLY_RECEIVE };

static int call_outer(FIXTURE_DATA(older) * self, enum outer outer, pid_t peer, void *args)
{
	struct mailbox_reply reply = reply_args(0, NULL, 0);

	switch (outer) {
	case SEND_TO:
		return direct_call(self->device, MAILBOX_IOC_SEND_TO, peer, args);
	case RECEIVE_FROM:
		return direct_call(self->device, MAILBOX_IOC_RECEIVE_FROM, peer, args);
	default:
		reply.receive = user_pointer(args);
		return call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply);
	}
}

/* Of that length, all zero beyond what is known, but for its last byte. */
static char *stretch(enum outer outer, __u32 size, char last)
{
	const struct mailbox_receive receive = receive_args(received, sizeof(received));
	const struct mailbox_send send = send_args("text", 4);
	char *start = edge_new(size);

	if (outer == SEND_TO)
		memcpy(start, &send, sizeof(send));
	else
		memcpy(start, &receive, sizeof(receive));
	memcpy(start, &size, sizeof(size));
	start[size - 1] = last;
	return start;
}

TEST_F(older, newer_ones_are_taken_when_they_ask_for_nothing_unknown)
{
	static const int done[] = { 0, -EAGAIN, -EAGAIN };
	pid_t peer = sleeper_fork();
	struct mailbox_link link;
	int outer;

	for (outer = SEND_TO; outer <= REPLY_RECEIVE; outer++) {
		const __u32 known = outer == SEND_TO ? sizeof(struct mailbox_send) :
						       sizeof(struct mailbox_receive);
		const __u32 sizes[] = { known + 1, known + 8, 4096 };
		const __u32 least = outer == SEND_TO ? SEND_LEAST : RECEIVE_LEAST;
		unsigned int i;

		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			EXPECT_EQ(-E2BIG,
				  call_outer(self, outer, peer, stretch(outer, sizes[i], 1)))
			TH_LOG("%d of %u bytes", outer, sizes[i]);
			EXPECT_EQ(done[outer],
				  call_outer(self, outer, peer, stretch(outer, sizes[i], 0)))
			TH_LOG("%d of %u bytes", outer, sizes[i]);
		}
		EXPECT_EQ(-E2BIG, call_outer(self, outer, peer, stretch(outer, 4097, 0)));
		EXPECT_EQ(-EINVAL, call_outer(self, outer, peer,
					      outer == SEND_TO ? (void *)cut_send(least - 1) :
								 (void *)cut_receive(least - 1)));
	}
	/* What was refused has not been sent. */
	EXPECT_EQ(1, direct_count(self->device, peer, &link));
	EXPECT_EQ(3, link.sent);
	child_kill(peer);
}

/* The answer has gone; what is wrong with the receive is told. */
TEST_F(older, newer_receive_after_an_answer)
{
	pid_t child = caller_queued(self->caller, self->fd, "text");
	struct mailbox_reply reply = reply_args(box_serve(self->fd), "answer", 6);

	reply.receive = user_pointer(stretch(REPLY_RECEIVE, sizeof(struct mailbox_receive) + 8, 1));
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_REPLY_RECEIVE, &reply));
	EXPECT_EQ(E2BIG, reply.error);
	caller_ends(self->caller, child, 0);
	EXPECT_STREQ("answer", self->caller->answer);
}

TEST_F(older, newer_list_of_links)
{
	const __u32 size = sizeof(struct mailbox_link) + 24;
	struct mailbox_links args = { .size = sizeof(args), .entry_size = size, .nr = 2 };
	char *entries = edge_new(2 * size);
	pid_t peers[2] = { sleeper_fork(), sleeper_fork() };
	unsigned int i, j;

	poison(entries, 2 * size);
	args.entries = user_pointer(entries);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, direct_send(self->device, peers[i], "x"));
	ASSERT_EQ(0, call(self->device, MAILBOX_IOC_LINKS, &args));
	ASSERT_EQ(2, args.nr);
	for (i = 0; i < 2; i++) {
		struct mailbox_link link;

		memcpy(&link, entries + i * size, sizeof(link));
		EXPECT_EQ(size, link.size);
		EXPECT_EQ(peers[i], link.peer);
		for (j = sizeof(link); j < size; j++)
			EXPECT_EQ(0, entries[i * size + j]);
		child_kill(peers[i]);
	}
}

TEST_HARNESS_MAIN
