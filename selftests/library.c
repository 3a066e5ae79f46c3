// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox: each function does what its header says, and nothing else.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "common.h"

#if __has_include("mailbox.h")
#include <mailbox.h>

FIXTURE(library)
{
	int device;
	int box;
	struct mailbox_create create;
};

FIXTURE_SETUP(library)
{
	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&self->create, "library"));
	self->box = mailbox_create(self->device, &self->create);
	ASSERT_LE(0, self->box);
}

FIXTURE_TEARDOWN(library)
{
	close(self->box);
	close(self->device);
}

TEST_F(library, create_says_id_and_handle)
{
	struct mailbox_create again;

	EXPECT_EQ(self->box, self->create.fd);
	EXPECT_NE(0, self->create.id);
	ASSERT_EQ(0, mailbox_create_init(&again, "library"));
	EXPECT_EQ(-EEXIST, mailbox_create(self->device, &again));
}

TEST_F(library, name_that_does_not_fit_is_refused_and_not_cut)
{
	char name[MAILBOX_NAME_SIZE + 1];
	struct mailbox_create create;

	memset(name, 'n', sizeof(name));
	name[MAILBOX_NAME_SIZE] = 0;
	EXPECT_EQ(-EINVAL, mailbox_create_init(&create, name));
	EXPECT_EQ(-EINVAL, mailbox_open(self->device, name, MAILBOX_RIGHT_SEND, 0));
	EXPECT_EQ(-EINVAL, mailbox_destroy_name(self->device, name));
	name[MAILBOX_NAME_SIZE - 1] = 0;
	EXPECT_EQ(0, mailbox_create_init(&create, name));
	EXPECT_EQ(-ENOENT, mailbox_open(self->device, name, MAILBOX_RIGHT_SEND, 0));
}

TEST_F(library, opens_by_name_and_by_id)
{
	int named = mailbox_open(self->device, "library", MAILBOX_RIGHT_SEND, 0);
	int numbered = mailbox_open_id(self->device, self->create.id, MAILBOX_RIGHT_RECEIVE,
				       MAILBOX_NONBLOCK);
	char text[8];

	ASSERT_LE(0, named);
	ASSERT_LE(0, numbered);
	EXPECT_EQ(-EAGAIN, mailbox_receive(numbered, text, sizeof(text)));
	EXPECT_EQ(0, mailbox_send(named, "abc", 3));
	EXPECT_EQ(3, mailbox_receive(numbered, text, sizeof(text)));
	EXPECT_EQ(-EACCES, mailbox_receive(named, text, sizeof(text)));
	close(named);
	close(numbered);
}

TEST_F(library, open_or_create_does_either)
{
	struct mailbox_create create;
	int first, second;

	ASSERT_EQ(0, mailbox_create_init(&create, "either"));
	first = mailbox_open_or_create(self->device, &create);
	ASSERT_LE(0, first);
	EXPECT_NE(self->create.id, create.id);
	second = mailbox_open_or_create(self->device, &self->create);
	ASSERT_LE(0, second);
	EXPECT_EQ(second, self->create.fd);
	EXPECT_EQ(0, mailbox_send(second, "", 0));
	EXPECT_EQ(0, mailbox_receive(self->box, NULL, 0));
	create.name[0] = 0;
	EXPECT_EQ(-EINVAL, mailbox_open_or_create(self->device, &create));
	close(first);
	close(second);
}

struct racer {
	int device;
	int failed;
};

static void *race(void *argument)
{
	struct racer *racer = argument;
	struct mailbox_create create;
	int i, box;

	for (i = 0; i < 2000; i++) {
		mailbox_create_init(&create, "race");
		box = mailbox_open_or_create(racer->device, &create);
		if (box < 0)
			racer->failed = box;
		else
			close(box);
	}
	return NULL;
}

TEST_F(library, open_or_create_stands_others_doing_the_same)
{
	struct racer racers[4] = { 0 };
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++) {
		racers[i].device = self->device;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race, &racers[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, racers[i].failed);
	}
}

TEST_F(library, message_keeps_what_was_said_about_it)
{
	uint64_t before = mailbox_now(), expiry = mailbox_deadline_in_ms(3600000);
	struct mailbox_message sent = {
		.data = "payload",
		.length = 7,
		.type = UINT64_MAX,
		.priority = 9,
		.expiry = expiry,
	};
	char text[16];
	struct mailbox_message got = { .data = text, .room = sizeof(text) };

	ASSERT_EQ(0, mailbox_send_message(self->box, &sent, 0, 0));
	EXPECT_EQ(1, sent.sequence);
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, MAILBOX_PEEK, 0));
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, 0, 0));
	EXPECT_EQ(7, got.length);
	EXPECT_EQ(0, memcmp(text, "payload", 7));
	EXPECT_EQ(UINT64_MAX, got.type);
	EXPECT_EQ(9, got.priority);
	EXPECT_EQ(expiry, got.expiry);
	EXPECT_EQ(1, got.sequence);
	EXPECT_EQ(getpid(), got.pid);
	EXPECT_EQ(gettid(), got.tid);
	EXPECT_EQ(geteuid(), got.uid);
	EXPECT_EQ(getegid(), got.gid);
	EXPECT_EQ(0, got.truncated);
	EXPECT_LE(before, got.time);
	EXPECT_LE(got.time, mailbox_now());
}

TEST_F(library, receive_that_does_not_fit_says_how_much_and_takes_nothing)
{
	char text[4];
	struct mailbox_message got = { .data = text, .room = sizeof(text), .type = 77 };

	ASSERT_EQ(0, mailbox_send(self->box, "12345", 5));
	EXPECT_EQ(-EMSGSIZE, mailbox_receive(self->box, text, sizeof(text)));
	EXPECT_EQ(-EMSGSIZE, mailbox_receive_message(self->box, &got, NULL, 0, 0));
	EXPECT_EQ(5, got.length);
	EXPECT_EQ(77, got.type);
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, NULL, MAILBOX_TRUNCATE, 0));
	EXPECT_EQ(5, got.length);
	EXPECT_EQ(1, got.truncated);
	EXPECT_EQ(0, memcmp(text, "1234", 4));
}

TEST_F(library, selection_reaches_the_kernel)
{
	struct mailbox_selection selection = { MAILBOX_SELECT_TYPE, 2 };
	struct mailbox_message one = { .type = 1 }, two = { .type = 2 }, got = { 0 };

	ASSERT_EQ(0, mailbox_send_message(self->box, &one, 0, 0));
	ASSERT_EQ(0, mailbox_send_message(self->box, &two, 0, 0));
	ASSERT_EQ(0, mailbox_receive_message(self->box, &got, &selection, 0, 0));
	EXPECT_EQ(2, got.type);
	EXPECT_EQ(-EAGAIN,
		  mailbox_receive_message(self->box, &got, &selection, MAILBOX_NONBLOCK, 0));
	EXPECT_EQ(-ETIMEDOUT, mailbox_receive_message(self->box, &got, &selection, MAILBOX_DEADLINE,
						      mailbox_now()));
}

TEST_F(library, receive_alloc_grows_and_keeps_its_buffer)
{
	struct mailbox_message got = { 0 };
	size_t length = 500000, room;
	char *large = malloc(length);

	memset(large, 'x', length);
	ASSERT_EQ(0, mailbox_send(self->box, "", 0));
	ASSERT_EQ(0, mailbox_send(self->box, large, length));
	ASSERT_EQ(0, mailbox_send(self->box, "small", 5));

	ASSERT_EQ(0, mailbox_receive_alloc(self->box, &got, NULL, 0, 0));
	EXPECT_EQ(0, got.length);
	ASSERT_EQ(0, mailbox_receive_alloc(self->box, &got, NULL, 0, 0));
	ASSERT_EQ(length, got.length);
	EXPECT_EQ(0, memcmp(got.data, large, length));
	room = got.room;
	EXPECT_LE(length, room);
	ASSERT_EQ(0, mailbox_receive_alloc(self->box, &got, NULL, 0, 0));
	EXPECT_EQ(5, got.length);
	EXPECT_EQ(room, got.room);
	EXPECT_EQ(-EAGAIN, mailbox_receive_alloc(self->box, &got, NULL, MAILBOX_NONBLOCK, 0));
	EXPECT_EQ(room, got.room);
	free(got.data);
	free(large);
}

TEST_F(library, receive_alloc_without_memory_leaves_the_message)
{
	struct rlimit limit = { 64 << 20, 64 << 20 };
	struct mailbox_message got = { 0 };
	struct mailbox_stat stat;
	size_t length = 900000;
	char *large = calloc(1, length);
	void *hog;

	ASSERT_EQ(0, mailbox_send(self->box, large, length));
	free(large);
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	for (hog = malloc(length / 2); hog; hog = malloc(length / 2))
		continue;
	EXPECT_EQ(-ENOMEM, mailbox_receive_alloc(self->box, &got, NULL, 0, 0));
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(1, stat.messages);
	free(got.data);
}

TEST_F(library, length_beyond_32_bits_is_refused_and_not_cut)
{
	struct mailbox_message message = { .data = "x", .length = (1ULL << 32) + 1 };
	struct mailbox_stat stat;

	EXPECT_EQ(-EMSGSIZE, mailbox_send(self->box, "x", (1ULL << 32) + 1));
	EXPECT_EQ(-EMSGSIZE, mailbox_send_message(self->box, &message, 0, 0));
	EXPECT_EQ(-EMSGSIZE, mailbox_send_batch(self->box, &message, 1, 0, 0, NULL));
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(0, stat.sent);
}

TEST_F(library, batch_of_any_length_keeps_order)
{
	struct mailbox_message messages[150] = { 0 };
	uint64_t numbers[150], got[150];
	unsigned int i;
	int error = 1;

	for (i = 0; i < 150; i++) {
		numbers[i] = i;
		messages[i].data = &numbers[i];
		messages[i].length = sizeof(numbers[i]);
		messages[i].type = i;
	}
	EXPECT_EQ(0, mailbox_send_batch(self->box, messages, 0, 0, 0, NULL));
	ASSERT_EQ(150, mailbox_send_batch(self->box, messages, 150, 0, 0, &error));
	EXPECT_EQ(0, error);
	EXPECT_EQ(150, messages[149].sequence);

	for (i = 0; i < 150; i++)
		messages[i] = (struct mailbox_message){ .data = &got[i], .room = sizeof(got[i]) };
	ASSERT_EQ(100, mailbox_receive_batch(self->box, messages, 100, NULL, 0, 0, &error));
	EXPECT_EQ(0, error);
	ASSERT_EQ(50, mailbox_receive_batch(self->box, messages + 100, 50 + 0, NULL, 0, 0, NULL));
	for (i = 0; i < 150; i++) {
		EXPECT_EQ(i, got[i]);
		EXPECT_EQ(i, messages[i].type);
		EXPECT_EQ(i + 1, messages[i].sequence);
	}
	EXPECT_EQ(-EAGAIN,
		  mailbox_receive_batch(self->box, messages, 5, NULL, MAILBOX_NONBLOCK, 0, &error));
	EXPECT_EQ(-EAGAIN, error);
}

TEST_F(library, batch_says_what_stopped_it)
{
	struct mailbox_message messages[3] = {
		{ .data = "a", .length = 1 },
		{ .data = "b", .length = 1, .priority = MAILBOX_PRIORITY_MAX + 1 },
		{ .data = "c", .length = 1 },
	};
	char text[2];
	struct mailbox_message got[2] = {
		{ .data = text, .room = 1 },
		{ .data = text + 1, .room = 1 },
	};
	int error = 0;

	EXPECT_EQ(1, mailbox_send_batch(self->box, messages, 3, 0, 0, &error));
	EXPECT_EQ(-EINVAL, error);
	EXPECT_EQ(-EINVAL, mailbox_send_batch(self->box, messages + 1, 2, 0, 0, &error));
	EXPECT_EQ(1, mailbox_receive_batch(self->box, got, 2, NULL, 0, 0, &error));
	EXPECT_EQ(-EAGAIN, error);
	EXPECT_EQ('a', text[0]);

	/* Only the first may be missing room: later ones end the batch instead. */
	ASSERT_EQ(0, mailbox_send(self->box, "four", 4));
	EXPECT_EQ(-EMSGSIZE, mailbox_receive_batch(self->box, got, 2, NULL, 0, 0, NULL));
	EXPECT_EQ(4, got[0].length);
	EXPECT_EQ(1, mailbox_receive_batch(self->box, got, 2, NULL, MAILBOX_TRUNCATE, 0, NULL));
	EXPECT_EQ(1, got[0].truncated);
}

TEST_F(library, restrict_and_revoke)
{
	uint64_t grant = 0, other = 0;
	int fd = mailbox_restrict(self->box, MAILBOX_RIGHT_SEND, 0, &grant), more;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, mailbox_send(fd, "x", 1));
	EXPECT_EQ(-EACCES, mailbox_restrict(fd, MAILBOX_RIGHT_RECEIVE, 0, &other));
	EXPECT_EQ(0, other);
	EXPECT_EQ(-EOPNOTSUPP, mailbox_restrict(fd, MAILBOX_RIGHT_SEND, MAILBOX_PEEK, NULL));
	more = mailbox_restrict(fd, MAILBOX_RIGHT_SEND, MAILBOX_NONBLOCK, NULL);
	ASSERT_LE(0, more);
	EXPECT_TRUE(fcntl(more, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EACCES, mailbox_revoke(fd, grant));
	EXPECT_EQ(-ENOENT, mailbox_revoke(self->box, 0));
	EXPECT_EQ(0, mailbox_revoke(self->box, grant));
	EXPECT_EQ(-EACCES, mailbox_send(fd, "x", 1));
	EXPECT_EQ(-EACCES, mailbox_send(more, "x", 1));
	close(fd);
	close(more);
	EXPECT_EQ(-ENOENT, mailbox_revoke(self->box, grant));
}

TEST_F(library, yield_is_for_one_at_a_time)
{
	struct mailbox_create create;
	struct mailbox_stat stat;
	char text[8];
	int box;

	EXPECT_EQ(-EINVAL, mailbox_yield(self->box));
	ASSERT_EQ(0, mailbox_create_init(&create, NULL));
	EXPECT_EQ(MAILBOX_POLICY_ANY, create.policy);
	create.policy = MAILBOX_POLICY_ONE;
	create.flags = MAILBOX_NONBLOCK;
	box = mailbox_create(self->device, &create);
	ASSERT_LE(0, box);
	EXPECT_EQ(0, mailbox_stat(box, &stat));
	EXPECT_EQ(MAILBOX_POLICY_ONE, stat.policy);
	EXPECT_EQ(-EPERM, mailbox_yield(box));
	EXPECT_EQ(-EAGAIN, mailbox_receive(box, text, sizeof(text)));
	EXPECT_EQ(0, mailbox_yield(box));
	EXPECT_EQ(-EPERM, mailbox_yield(box));
	close(box);
}

static int count(const struct mailbox_stat *stat, void *context)
{
	unsigned int *nr = context;

	(*nr)++;
	return stat->name[0] == 'z' ? 42 : 0;
}

TEST_F(library, list_comes_in_parts_or_by_callback)
{
	struct mailbox_stat entries[2];
	struct mailbox_create create;
	uint64_t after = 0, last = 0;
	unsigned int nr = 0;
	int boxes[40], i, got;

	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, mailbox_create_init(&create, NULL));
		boxes[i] = mailbox_create(self->device, &create);
		ASSERT_LE(0, boxes[i]);
	}
	while ((got = mailbox_list(self->device, &after, entries, 2)) > 0) {
		for (i = 0; i < got; i++, nr++) {
			EXPECT_LT(last, entries[i].id);
			last = entries[i].id;
		}
	}
	EXPECT_EQ(0, got);
	EXPECT_EQ(41, nr);

	nr = 0;
	EXPECT_EQ(0, mailbox_list_each(self->device, count, &nr));
	EXPECT_EQ(41, nr);

	/* The callback ends the walk: the one with this name is the last. */
	ASSERT_EQ(0, mailbox_create_init(&create, "z"));
	ASSERT_LE(0, mailbox_create(self->device, &create));
	ASSERT_EQ(0, mailbox_create_init(&create, NULL));
	ASSERT_LE(0, mailbox_create(self->device, &create));
	nr = 0;
	EXPECT_EQ(42, mailbox_list_each(self->device, count, &nr));
	EXPECT_EQ(42, nr);
}

TEST_F(library, set_stat_info_and_destroy)
{
	struct mailbox_set set = { .flags = MAILBOX_SET_MAX_MESSAGES, .max_messages = 3 };
	struct mailbox_stat stat;
	struct mailbox_info info;

	ASSERT_EQ(0, mailbox_set(self->box, &set));
	ASSERT_EQ(0, mailbox_stat(self->box, &stat));
	EXPECT_EQ(3, stat.max_messages);
	EXPECT_STREQ("library", stat.name);
	ASSERT_EQ(0, mailbox_info(self->device, &info));
	EXPECT_EQ(MAILBOX_INTERFACE_VERSION, info.version);
	EXPECT_EQ(0, mailbox_info(self->box, &info));

	EXPECT_EQ(0, mailbox_destroy(self->box));
	EXPECT_EQ(-EIDRM, mailbox_stat(self->box, &stat));
	EXPECT_EQ(-ENOENT, mailbox_destroy_id(self->device, self->create.id));
	EXPECT_EQ(-ENOENT, mailbox_destroy_name(self->device, "library"));
}

TEST(deadlines_do_not_wrap_round)
{
	uint64_t now = mailbox_now();

	EXPECT_LE(now + 5000000, mailbox_deadline_in_ms(5));
	EXPECT_EQ(UINT64_MAX, mailbox_deadline_in(UINT64_MAX));
	EXPECT_EQ(UINT64_MAX, mailbox_deadline_in(UINT64_MAX - now + 1));
	EXPECT_EQ(UINT64_MAX, mailbox_deadline_in_ms(UINT64_MAX / 2));
}

TEST(errors_have_words)
{
	char text[16];

	EXPECT_STREQ("there is no such mailbox", mailbox_strerror(-ENOENT));
	EXPECT_STREQ("there is no such mailbox", mailbox_strerror(ENOENT));
	EXPECT_STREQ("unknown error", mailbox_strerror(-99999));
	EXPECT_STREQ("open: there is ", mailbox_error_text(-ENOENT, "open", text, sizeof(text)));
	EXPECT_STREQ("there is no suc", mailbox_error_text(-ENOENT, NULL, text, sizeof(text)));
}

TEST_F(library, an_eventfd_is_told)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	eventfd_t times;

	ASSERT_LE(0, event);
	ASSERT_EQ(0, mailbox_notify(self->box, MAILBOX_EVENT_MESSAGE, event));
	ASSERT_EQ(0, mailbox_send(self->box, "", 0));
	EXPECT_EQ(0, eventfd_read(event, &times));
	EXPECT_EQ(-EINVAL, mailbox_notify(self->box, MAILBOX_EVENT_MESSAGE, self->box));
	ASSERT_EQ(0, mailbox_notify(self->box, 0, -1));
	ASSERT_EQ(0, mailbox_send(self->box, "", 0));
	EXPECT_EQ(-1, eventfd_read(event, &times));
	close(event);
}

#else

TEST(library)
{
	SKIP(return, "built without libmailbox");
}

#endif

TEST_HARNESS_MAIN
