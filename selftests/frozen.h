/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that stand still in the middle of a copy: what is otherwise a race.
 *
 * An actor is a process that makes one call. Its memory is two pages of a file, and
 * userfaultfd stops whoever touches the second one, also the kernel on its behalf. The
 * test decides when and how it goes on: there is a page after all, or the file has become
 * too short and the copy faults.
 *
 * Actors share the descriptors of the test, as threads do. So the test reads the faults
 * of an actor, and what it closes is closed for the actor too.
 */
#ifndef SELFTESTS_FROZEN_H
#define SELFTESTS_FROZEN_H

#include "common_region.h"

#include <linux/userfaultfd.h>
#include <stddef.h>

/* More than any text here. */
#define ROOM 64

/* What an actor says of itself. */
struct act {
	unsigned int ready;
	unsigned int done;
	int faults;
	int result;
};

struct actor {
	pid_t pid;
	int fd;
	/* 0: read(2). */
	unsigned long command;
	void *args;
	struct mailbox_send *send;
	struct mailbox_receive *receive;
	/* The file behind the pages; the second one is the trap. */
	int memory;
	char *trap;
	/* Its userfaultfd, or -1 when it is not to be stopped. */
	int faults;
	bool trapped;
	/* It has a table of descriptors of its own, and so leases of its own. */
	bool own_table;
	/* What it does before its call, with that table, and before it is stopped anywhere. */
	void (*first)(struct actor *actor);
	struct act *act;
};

/* Why no call can be stopped here, or NULL. */
static inline const char *frozen_missing(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return errno == ENOSYS ? "this kernel has no userfaultfd" :
					 "userfaultfd is not for this user";
	close(fd);
	return NULL;
}

static inline void *shared_new(size_t size, int fd)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	ASSERT_TRUE(memory != MAP_FAILED);
	return memory;
}

/*
 * Actors share our table of descriptors, unless a test that needs them to be processes of
 * their own says so, of all before it includes this, or of one.
 */
#ifdef FROZEN_OWN_TABLES
#define ACTORS_OWN_TABLES true
#else
#define ACTORS_OWN_TABLES false
#endif

static inline struct actor *actor_new(int fd, unsigned long command)
{
	struct actor *actor = calloc(1, sizeof(*actor));

	ASSERT_TRUE(actor);
	actor->fd = fd;
	actor->command = command;
	actor->faults = -1;
	actor->own_table = ACTORS_OWN_TABLES;
	actor->memory = memfd_create("actor", MFD_CLOEXEC);
	ASSERT_LE(0, actor->memory);
	ASSERT_EQ(0, ftruncate(actor->memory, 2 * page_size()));
	actor->trap = (char *)shared_new(2 * page_size(), actor->memory) + page_size();
	actor->act = shared_new(sizeof(*actor->act), -1);
	return actor;
}

/* Where its payload is unless that is to be trapped; its arguments lie before. */
static inline char *actor_text(const struct actor *actor)
{
	return actor->trap - page_size() / 2;
}

/* Waits for room or a receiver, and is not stopped. */
static inline struct actor *sender_new(int fd, const char *text, __u64 type)
{
	struct actor *actor = actor_new(fd, MAILBOX_IOC_SEND);
	char *data = actor_text(actor);

	strcpy(data, text);
	actor->send = (void *)(actor->trap - page_size());
	actor->args = actor->send;
	*actor->send = send_args(data, strlen(text));
	actor->send->flags = 0;
	actor->send->type = type;
	return actor;
}

/* Is stopped before it has copied its message in. The payload comes when it goes on. */
static inline struct actor *frozen_sender_new(int fd, size_t length, __u64 type)
{
	struct actor *actor = sender_new(fd, "", type);

	actor->send->data = user_pointer(actor->trap);
	actor->send->length = length;
	actor->trapped = true;
	return actor;
}

/* Takes the first message of a type, or is refused at once; is not stopped. */
static inline struct actor *receiver_new(int fd, __u64 type)
{
	struct actor *actor = actor_new(fd, MAILBOX_IOC_RECEIVE);

	actor->receive = (void *)(actor->trap - page_size());
	actor->args = actor->receive;
	*actor->receive = receive_args(actor_text(actor), ROOM);
	actor->receive->select = MAILBOX_SELECT_TYPE;
	actor->receive->match = type;
	return actor;
}

/* Is stopped when it has its message and copies it out. */
static inline struct actor *frozen_receiver_new(int fd, __u64 type)
{
	struct actor *actor = receiver_new(fd, type);

	actor->receive->data = user_pointer(actor->trap);
	actor->trapped = true;
	return actor;
}

/* Is stopped when the payload is copied and the rest is to be told. */
static inline struct actor *frozen_reporter_new(int fd, __u64 type)
{
	struct actor *actor = receiver_new(fd, type);
	char *before = actor->trap - offsetof(struct mailbox_receive, length);

	/* What the caller fills in lies before the trap; what is told, behind it. */
	memcpy(before, actor->args, offsetof(struct mailbox_receive, length));
	actor->receive = (void *)before;
	actor->args = actor->receive;
	actor->trapped = true;
	return actor;
}

/* Reads bytes, and is stopped when it has copied one third of those it asks for. */
static inline struct actor *frozen_reader_new(int fd, size_t length)
{
	struct actor *actor = actor_new(fd, 0);

	actor->receive = (void *)(actor->trap - page_size());
	*actor->receive = receive_args(actor->trap - length / 3, length);
	actor->trapped = true;
	return actor;
}

static inline int actor_read(const struct actor *actor)
{
	const struct mailbox_receive *args = actor->receive;
	ssize_t ret = read(actor->fd, (void *)(uintptr_t)args->data, args->room);

	return ret < 0 ? -errno : ret;
}

/* In the actor. */
static inline void trap_set(struct actor *actor)
{
	struct uffdio_register area = { .range = { user_pointer(actor->trap), page_size() },
					.mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &area));
	actor->act->faults = fd;
}

static inline void on_signal(int signal)
{
	(void)signal;
}

static inline __attribute__((noreturn)) void actor_play(struct actor *actor, pid_t parent)
{
	struct sigaction action = { .sa_handler = on_signal };

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(KSFT_FAIL);
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	if (actor->first)
		actor->first(actor);
	if (actor->trapped)
		trap_set(actor);
	flag_raise(&actor->act->ready);
	actor->act->result = actor->command ? call(actor->fd, actor->command, actor->args) :
					      actor_read(actor);
	flag_raise(&actor->act->done);
	_exit(KSFT_PASS);
}

/* A descriptor of an actor as one of ours. */
static inline int actor_descriptor(const struct actor *actor, int fd)
{
	int pidfd, ours;

	if (!actor->own_table)
		return fd;
	pidfd = syscall(SYS_pidfd_open, actor->pid, 0);
	ASSERT_LE(0, pidfd);
	ours = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	ASSERT_LE(0, ours);
	close(pidfd);
	return ours;
}

static inline void actor_start(struct actor *actor)
{
	unsigned long flags = SIGCHLD | (actor->own_table ? 0 : CLONE_FILES);
	pid_t parent = getpid();

	actor->pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	ASSERT_LE(0, actor->pid);
	if (!actor->pid)
		actor_play(actor, parent);
	flag_await(&actor->act->ready, 1);
	if (actor->trapped)
		actor->faults = actor_descriptor(actor, actor->act->faults);
}

static inline bool actor_is_done(const struct actor *actor)
{
	return __atomic_load_n(&actor->act->done, __ATOMIC_ACQUIRE);
}

/* Until it has touched its trap; false when that call has ended before. */
static inline bool actor_freezes(struct actor *actor, const struct actor *before)
{
	struct pollfd entry = { .fd = actor->faults, .events = POLLIN };
	__u64 end = now_ns() + PATIENCE;
	struct uffd_msg fault;
	bool done;

	do {
		ASSERT_LT(now_ns(), end);
		done = actor_is_done(before);
		ASSERT_LE(0, poll(&entry, 1, 1));
	} while (!entry.revents && !done);
	if (!entry.revents)
		return false;
	ASSERT_EQ(sizeof(fault), read(actor->faults, &fault, sizeof(fault)));
	ASSERT_EQ(UFFD_EVENT_PAGEFAULT, fault.event);
	EXPECT_FALSE(actor_is_done(actor));
	return true;
}

static inline void actor_await_frozen(struct actor *actor)
{
	ASSERT_TRUE(actor_freezes(actor, actor));
}

static inline void actor_start_frozen(struct actor *actor)
{
	actor_start(actor);
	actor_await_frozen(actor);
}

static inline void actor_wake(struct actor *actor)
{
	struct uffdio_range range = { user_pointer(actor->trap), page_size() };

	EXPECT_FALSE(actor_is_done(actor));
	ASSERT_EQ(0, ioctl(actor->faults, UFFDIO_WAKE, &range));
}

/* Let its copy go on. A sender copies this. */
static inline void actor_release_with(struct actor *actor, const char *text)
{
	ASSERT_EQ(strlen(text) + 1, pwrite(actor->memory, text, strlen(text) + 1, page_size()));
	actor_wake(actor);
}

/* A payload of which one third lies before the trap: when it stops, that is copied. */
static inline void actor_straddle(struct actor *actor, size_t length)
{
	__u64 data = user_pointer(actor->trap - length / 3);

	if (actor->send) {
		actor->send->data = data;
		actor->send->length = length;
	} else {
		actor->receive->data = data;
		actor->receive->room = length;
	}
}

static inline void actor_release(struct actor *actor)
{
	actor_release_with(actor, "");
}

static inline void actor_forget(struct actor *actor)
{
	if (actor->faults >= 0)
		close(actor->faults);
	close(actor->memory);
	actor->faults = -1;
}

/* What the call of the actor has returned. */
static inline int actor_result(struct actor *actor)
{
	child_done(actor->pid);
	EXPECT_TRUE(actor_is_done(actor));
	actor_forget(actor);
	return actor->act->result;
}

static inline int actor_thaw(struct actor *actor)
{
	actor_release(actor);
	return actor_result(actor);
}

/* What lies there was there, and is no more: whoever touches the trap from now on is stopped. */
static inline void actor_empty(struct actor *actor)
{
	ASSERT_EQ(0, fallocate(actor->memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       page_size(), page_size()));
}

/* Make its copy fault: the page will never be there. */
static inline int actor_fail(struct actor *actor)
{
	ASSERT_EQ(0, ftruncate(actor->memory, page_size()));
	actor_wake(actor);
	return actor_result(actor);
}

/* In its call; afterwards all that it held has been given back. */
static inline void actor_kill(struct actor *actor)
{
	EXPECT_FALSE(actor_is_done(actor));
	child_kill(actor->pid);
	actor_forget(actor);
}

static inline struct actor *freeze_receiver(int fd, __u64 type)
{
	struct actor *receiver = frozen_receiver_new(fd, type);

	actor_start_frozen(receiver);
	return receiver;
}

static inline struct actor *freeze_peeker(int fd, __u64 type)
{
	struct actor *peeker = frozen_receiver_new(fd, type);

	peeker->receive->flags |= MAILBOX_PEEK;
	actor_start_frozen(peeker);
	return peeker;
}

static inline struct actor *freeze_sender(int fd, const char *text, __u64 type)
{
	struct actor *sender = frozen_sender_new(fd, strlen(text), type);

	actor_start_frozen(sender);
	return sender;
}

/* What it has received. */
#define EXPECT_RECEIVED(text, actor) \
	do { \
		const struct mailbox_receive *seen_ = (actor)->receive; \
\
		EXPECT_EQ(strlen(text), seen_->length); \
		EXPECT_EQ(0, memcmp(text, (void *)(uintptr_t)seen_->data, strlen(text))); \
	} while (0)

/* The next message of a type, without waiting: its number, or a negative errno. */
static inline __s64 take(int fd, __u64 type, const char *text)
{
	char data[ROOM];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	int ret;

	args.select = MAILBOX_SELECT_TYPE;
	args.match = type;
	ret = box_receive(fd, &args);
	if (ret)
		return ret;
	EXPECT_EQ(strlen(text), args.length);
	EXPECT_EQ(0, memcmp(text, data, strlen(text)));
	return args.sequence;
}

static inline void put(int fd, const char *text, __u64 type)
{
	ASSERT_EQ(0, box_send_text(fd, text, type, 0));
}

/* The first of any type. */
static inline void expect_next(int fd, const char *expected)
{
	char text[ROOM];

	EXPECT_LE(0, box_receive_text(fd, text, sizeof(text)));
	EXPECT_STREQ(expected, text);
}

static inline void put_three(int fd)
{
	put(fd, "a", 1);
	put(fd, "b", 2);
	put(fd, "c", 3);
}

static inline void expect_three(int fd)
{
	EXPECT_EQ(3, box_stat(fd).messages);
	EXPECT_EQ(0, box_stat(fd).received);
	expect_next(fd, "a");
	expect_next(fd, "b");
	expect_next(fd, "c");
}

static inline int box_set(int fd, __u32 field, __u64 value)
{
	struct mailbox_set args = { .size = sizeof(args), .flags = field };

	if (field == MAILBOX_SET_ON_FULL)
		args.on_full = value;
	else if (field == MAILBOX_SET_MESSAGE_SIZE)
		args.message_size = value;
	else
		args.max_messages = value;
	return call(fd, MAILBOX_IOC_SET, &args);
}

/* The call goes on with the file, which was the last: the mailbox ends with it. */
static inline void expect_ends_with(int device, int fd, struct actor *actor)
{
	__u64 id = box_stat(fd).id;
	int other;

	ASSERT_EQ(0, close(fd));
	other = box_open(device, id, NULL, MAILBOX_RIGHT_SEND);
	ASSERT_LE(0, other);
	EXPECT_EQ(2, box_stat(other).handles);
	close(other);
	actor_release_with(actor, "late");
	EXPECT_EQ(0, actor_result(actor));
	EXPECT_EQ(-ENOENT, box_open(device, id, NULL, MAILBOX_RIGHT_SEND));
}

#define FROZEN_MAIN \
	int main(int argc, char **argv) \
	{ \
		const char *reason = frozen_missing(); \
\
		if (!reason) \
			return th_main(argc, argv); \
		th_say("TAP version 13\n1..0 # SKIP %s", reason); \
		return KSFT_SKIP; \
	}

#endif /* SELFTESTS_FROZEN_H */
