// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody tries to unload the module all the time while descriptors of it are passed
 * about between processes, wait in sockets to be taken, and die with those. It is
 * refused as long as one is open, wherever that is, and succeeds when none is.
 */
#include "races.h"
#include "unload.h"

#include <pthread.h>
#include <sys/socket.h>

/* How often the module is unloaded in each way. */
#define ROUNDS 25

#define RELAYS	    4
#define DESCRIPTORS 6

/* How often they are passed on, and unloading refused, before it may succeed. */
#define HOPS	50
#define REFUSED 30

/* What becomes of the last descriptor. */
enum way {
	/* It dies with the processes that pass it about. */
	KILLED,
	/* It is in a socket, which is closed. */
	IN_FLIGHT,
	/* It is in a socket that is in another one which is in the first. */
	IN_A_CYCLE,
};

/* Shared by all processes. */
struct score {
	unsigned int hops;
	unsigned int refused;
	unsigned int unloaded;
};

struct relay {
	pid_t pid;
	/* Where it takes from, and where others put. */
	int outlet;
	int inlet;
};

FIXTURE(unload_races)
{
	const char *file;
	struct score *score;
	uint64_t random;
	struct relay relays[RELAYS];
};

FIXTURE_VARIANT(unload_races)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(unload_races, killed)
{
	.way = KILLED,
};

FIXTURE_VARIANT_ADD(unload_races, in_flight)
{
	.way = IN_FLIGHT,
};

FIXTURE_VARIANT_ADD(unload_races, in_a_cycle)
{
	.way = IN_A_CYCLE,
};

FIXTURE_SETUP(unload_races)
{
	self->file = module_file();
	self->random = race_random(variant->way);
	self->score = mmap(NULL, sizeof(*self->score), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->score != MAP_FAILED);
}

FIXTURE_TEARDOWN(unload_races)
{
	if (self->file && !is_loaded())
		EXPECT_EQ(0, try_load(self->file));
}

static void pair_new(int pair[2])
{
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
}

/* Room for two descriptors in a message. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(2 * sizeof(int))];
};

static int fds_try_send(int to, const int *fds, int nr)
{
	union control control = { .room = { 0 } };
	char byte = 'x';
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(header), fds, nr * sizeof(int));
	return sendmsg(to, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void fds_send(int to, const int *fds, int nr)
{
	ASSERT_EQ(0, fds_try_send(to, fds, nr));
}

static int fd_take(int from)
{
	union control control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	ASSERT_EQ(1, recvmsg(from, &message, MSG_CMSG_CLOEXEC));
	header = CMSG_FIRSTHDR(&message);
	ASSERT_TRUE(header && header->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* It works wherever it has come to. */
static void use(int fd)
{
	char text[16];
	int ret = box_send_data(fd, "x", 1);

	if (ret == -ENOTTY) {
		device_info(fd);
		return;
	}
	EXPECT_EQ(0, ret);
	EXPECT_LE(1, box_receive_text(fd, text, sizeof(text)));
}

static __attribute__((noreturn)) void pass_on(FIXTURE_DATA(unload_races) * self, int number)
{
	uint64_t random = self->random ^ number;

	for (;;) {
		int fd = fd_take(self->relays[number].outlet);
		int ret;

		use(fd);
		ret = fds_try_send(self->relays[below(&random, RELAYS)].inlet, &fd, 1);
		/* The next one may have been killed; the descriptor ends with it. */
		EXPECT_TRUE(!ret || ret == -EPIPE || ret == -ECONNRESET) TH_LOG("send: %d", ret);
		/* Only now: one is always open. */
		close(fd);
		flag_raise(&self->score->hops);
	}
}

static void relays_start(FIXTURE_DATA(unload_races) * self)
{
	int pair[2], i;

	for (i = 0; i < RELAYS; i++) {
		pair_new(pair);
		self->relays[i].outlet = pair[0];
		self->relays[i].inlet = pair[1];
	}
	for (i = 0; i < RELAYS; i++) {
		self->relays[i].pid = child_fork();
		if (self->relays[i].pid)
			continue;
		/* What is in flight to one that is killed shall not stay open here. */
		for (int other = 0; other < RELAYS; other++)
			if (other != i)
				close(self->relays[other].outlet);
		pass_on(self, i);
	}
	for (i = 0; i < RELAYS; i++)
		close(self->relays[i].outlet);
}

static void relays_kill(FIXTURE_DATA(unload_races) * self)
{
	int i;

	for (i = 0; i < RELAYS; i++) {
		race_delay(&self->random);
		child_kill(self->relays[i].pid);
		/* Before or after the next one. */
		if (below(&self->random, 2))
			close(self->relays[i].inlet), self->relays[i].inlet = -1;
	}
	for (i = 0; i < RELAYS; i++)
		close(self->relays[i].inlet);
}

/* A device and handles, with messages in their mailboxes; returns one handle. */
static int relays_feed(FIXTURE_DATA(unload_races) * self)
{
	struct mailbox_create args = create_args();
	int device = device_open(), fd = -1;

	fds_send(self->relays[0].inlet, &device, 1);
	for (int i = 1; i < DESCRIPTORS; i++) {
		close(fd);
		args.flags = below(&self->random, 3) ? 0 : MAILBOX_PERMANENT;
		fd = box_create(device, &args);
		ASSERT_LE(0, fd);
		for (uint32_t nr = below(&self->random, 4); nr; nr--)
			EXPECT_EQ(0, box_send_data(fd, "left in it", 10));
		fds_send(self->relays[i % RELAYS].inlet, &fd, 1);
	}
	close(device);
	return fd;
}

/* fd is what its parent has open and it shall not. */
static pid_t unloader_start(struct score *score, int fd)
{
	pid_t pid = child_fork();
	int ret;

	if (pid)
		return pid;
	close(fd);
	while ((ret = try_unload())) {
		ASSERT_EQ(-EWOULDBLOCK, ret);
		flag_raise(&score->refused);
		sched_yield();
	}
	flag_raise(&score->unloaded);
	_exit(KSFT_PASS);
}

/* So many more, and all of them refused. */
static void await_refused(struct score *score, unsigned int more)
{
	flag_await(&score->refused, __atomic_load_n(&score->refused, __ATOMIC_ACQUIRE) + more);
	EXPECT_EQ(0, __atomic_load_n(&score->unloaded, __ATOMIC_ACQUIRE));
	EXPECT_TRUE(is_loaded());
}

/* Put the only descriptor that there will be into sockets, and close those. */
static void lose(FIXTURE_DATA(unload_races) * self, int fd, enum way way)
{
	int first = below(&self->random, 2), pair[2];

	pair_new(pair);
	if (way == IN_A_CYCLE) {
		fds_send(pair[0], (int[]){ fd, pair[0] }, 2);
		fds_send(pair[1], (int[]){ pair[1], fd }, 2);
	} else {
		fds_send(pair[0], &fd, 1);
	}
	close(fd);
	relays_kill(self);
	await_refused(self->score, 3);
	race_delay(&self->random);
	close(pair[first]);
	race_delay(&self->random);
	close(pair[!first]);
	/* Those that hold each other are looked for when some socket is closed. */
	if (way == IN_A_CYCLE) {
		race_delay(&self->random);
		pair_new(pair);
		close(pair[0]);
		close(pair[1]);
	}
}

/* The module works as if nothing had been. */
static void expect_usable(void)
{
	struct mailbox_stat entry;
	struct usage none = { 0 };
	int device = device_open(), fd;
	__u64 after = 0;

	EXPECT_EQ(0, box_list(device, &entry, 1, &after));
	EXPECT_USAGE(device, none);
	fd = box_new(device);
	use(fd);
	close(fd);
	close(device);
}

TEST_F_TIMEOUT(unload_races, is_refused_until_nothing_is_open, 120)
{
	uint32_t rounds = race_rounds(ROUNDS), i;
	unsigned int hops = 0, refused = 0;
	struct score *score = self->score;

	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	for (i = 0; i < rounds; i++) {
		pid_t unloader;
		int fd;

		*score = (struct score){ 0 };
		relays_start(self);
		fd = relays_feed(self);
		unloader = unloader_start(score, fd);
		if (variant->way == KILLED)
			close(fd);
		flag_await(&score->hops, HOPS);
		await_refused(score, REFUSED);
		if (variant->way == KILLED)
			relays_kill(self);
		else
			lose(self, fd, variant->way);
		/* A descriptor may end in the kernel some time after its last holder. */
		flag_await(&score->unloaded, 1);
		child_done(unloader);
		EXPECT_FALSE(is_loaded());
		EXPECT_NE(0, access(DEVICE, F_OK));
		ASSERT_EQ(0, try_load(self->file));
		expect_usable();
		hops += score->hops;
		refused += score->refused;
		if (th_report->failures)
			th_abort();
	}
	th_say("# unloaded %u times, refused %u times, passed on %u times", rounds, refused, hops);
}

static void *receive_for_ever(void *arg)
{
	int fd = *(int *)arg;
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));

	args.flags = 0;
	box_receive(fd, &args);
	return NULL;
}

/* The call holds the handle: no descriptor does any more. */
TEST(unload_is_refused_while_a_call_waits_whose_descriptor_was_closed)
{
	const char *file = module_file();
	unsigned int *closed = flag_new();
	struct mailbox_stat entry = { .id = 0 };
	int device, fd;
	__u64 id, after;
	pid_t pid;

	if (!file)
		return;
	device = device_open();
	fd = box_new(device);
	id = box_stat(fd).id;
	pid = child_fork();
	if (!pid) {
		pthread_t thread;

		ASSERT_EQ(0, pthread_create(&thread, NULL, receive_for_ever, &fd));
		wait_waiters(fd, 1, 0);
		close(fd);
		close(device);
		flag_raise(closed);
		pthread_join(thread, NULL);
		_exit(KSFT_FAIL);
	}
	close(fd);
	flag_await(closed, 1);
	after = id - 1;
	ASSERT_EQ(1, box_list(device, &entry, 1, &after));
	EXPECT_EQ(id, entry.id);
	EXPECT_EQ(1, entry.receivers);
	close(device);
	EXPECT_EQ(-EWOULDBLOCK, try_unload());
	child_kill(pid);
	EXPECT_EQ(0, try_unload());
	EXPECT_EQ(0, try_load(file));
	expect_usable();
}

int main(int argc, char **argv)
{
	race_seed_choose();
	return th_main(argc, argv);
}
