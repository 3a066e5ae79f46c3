// SPDX-License-Identifier: GPL-2.0
/*
 * mq_notify(3): a process is told when a message comes into an empty queue.
 */
#include "mq.h"

FIXTURE(notify)
{
	mqd_t queue;
	unsigned int *flag;
};

static sigset_t signals;

FIXTURE_SETUP(notify)
{
	self->queue = queue_new(O_RDWR);
	self->flag = flag_new();
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGRTMIN + 3);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &signals, NULL));
}

FIXTURE_TEARDOWN(notify)
{
	queue_end(self->queue);
}

static int notify(mqd_t queue, int signal, int value)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = signal,
				  .sigev_value.sival_int = value };

	return TRY(mq_notify(queue, &event));
}

/* The signal that is there, or comes within this time. */
static int next_signal(siginfo_t *info, long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	return TRY(sigtimedwait(&signals, info, &time));
}

/* Registered as @value from @sender. */
static void expect_signal(int signal, int value, pid_t sender)
{
	siginfo_t info;

	memset(&info, 0xa5, sizeof(info));
	EXPECT_EQ(signal, next_signal(&info, 30000));
	EXPECT_EQ(signal, info.si_signo);
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ(value, info.si_value.sival_int);
	EXPECT_EQ(sender, info.si_pid);
	EXPECT_EQ(getuid(), info.si_uid);
}

static void expect_no_signal(void)
{
	siginfo_t info;

	EXPECT_EQ(-EAGAIN, next_signal(&info, 20));
}

/* Sends one message from another process, and says which. */
static pid_t send_by_other(mqd_t queue)
{
	pid_t child = child_fork();

	if (!child) {
		EXPECT_EQ(0, send_text(queue, "text", 0));
		_exit(0);
	}
	child_done(child);
	return child;
}

TEST_F(notify, by_signal)
{
	pid_t sender;

	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 42));
	expect_no_signal();
	sender = send_by_other(self->queue);
	expect_signal(SIGUSR1, 42, sender);
	/* The message stays. */
	expect_message(self->queue, "text", 0);
}

/* Who has sent it itself has the signal when the call returns. */
TEST_F(notify, own_message)
{
	siginfo_t info;

	EXPECT_EQ(0, notify(self->queue, SIGRTMIN + 3, -7));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	EXPECT_EQ(SIGRTMIN + 3, next_signal(&info, 0));
	EXPECT_EQ(-7, info.si_value.sival_int);
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ(getpid(), info.si_pid);
}

TEST_F(notify, once)
{
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 1, getpid());
	drain(self->queue);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_no_signal();
	drain(self->queue);
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 2));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 2, getpid());
}

TEST_F(notify, only_where_the_queue_was_empty)
{
	EXPECT_EQ(0, send_text(self->queue, "one", 0));
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	expect_no_signal();
	EXPECT_EQ(0, send_text(self->queue, "two", 0));
	expect_no_signal();
	drain(self->queue);
	EXPECT_EQ(0, send_text(self->queue, "three", 0));
	expect_signal(SIGUSR1, 1, getpid());
}

TEST_F(notify, not_of_what_a_receiver_waits_for)
{
	pid_t child = asleep(child_fork(), self->flag);

	if (!child) {
		expect_message(self->queue, "text", 0);
		_exit(0);
	}
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	child_done(child);
	expect_no_signal();
	/* It goes on. */
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 1, getpid());
}

TEST_F(notify, one_at_a_time)
{
	mqd_t other = queue_open(O_RDONLY);
	pid_t child;

	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(-EBUSY, notify(self->queue, SIGUSR1, 2));
	EXPECT_EQ(-EBUSY, notify(other, SIGUSR1, 2));
	child = child_fork();
	if (!child) {
		EXPECT_EQ(-EBUSY, notify(self->queue, SIGUSR1, 3));
		EXPECT_EQ(-EBUSY, notify(queue_open(O_RDWR), SIGUSR1, 3));
		/* Nor is it another's to end. */
		EXPECT_EQ(0, TRY(mq_notify(self->queue, NULL)));
		EXPECT_EQ(-EBUSY, notify(self->queue, SIGUSR1, 3));
		_exit(0);
	}
	child_done(child);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 1, getpid());
}

TEST_F(notify, ended)
{
	mqd_t other = queue_open(O_WRONLY);

	EXPECT_EQ(0, TRY(mq_notify(self->queue, NULL)));
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, TRY(mq_notify(other, NULL)));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_no_signal();
	drain(self->queue);
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 2));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 2, getpid());
}

/* By any descriptor of the queue: Linux does not ask by which it began. */
TEST_F(notify, ended_by_close)
{
	mqd_t other = queue_open(O_RDONLY);
	int copy;

	EXPECT_EQ(0, notify(other, SIGUSR1, 1));
	EXPECT_EQ(0, mq_close(other));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_no_signal();
	drain(self->queue);

	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 2));
	copy = dup(self->queue);
	EXPECT_EQ(-EBUSY, notify(copy, SIGUSR1, 3));
	EXPECT_EQ(0, close(copy));
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 4));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 4, getpid());
}

TEST_F(notify, ended_by_the_end_of_the_process)
{
	pid_t child = child_fork();

	if (!child) {
		EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
		_exit(0);
	}
	child_done(child);
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 2));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 2, getpid());
}

TEST_F(notify, ended_by_sigkill)
{
	pid_t child = child_fork();

	if (!child) {
		EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
		flag_raise(self->flag);
		pause();
	}
	flag_await(self->flag, 1);
	EXPECT_EQ(-EBUSY, notify(self->queue, SIGUSR1, 2));
	child_kill(child);
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 2));
}

/* A child has none, and does not keep that of its parent. */
TEST_F(notify, not_inherited)
{
	unsigned int *ended = flag_new();
	pid_t parent = child_fork(), child;

	if (!parent) {
		EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
		child = fork();
		if (child)
			_exit(0);
		flag_await(ended, 1);
		/* The place is free, and nobody else is told. */
		EXPECT_EQ(0, notify(self->queue, SIGUSR1, 5));
		EXPECT_EQ(0, send_text(self->queue, "text", 0));
		expect_signal(SIGUSR1, 5, getpid());
		drain(self->queue);
		EXPECT_EQ(0, send_text(self->queue, "text", 0));
		expect_no_signal();
		flag_raise(self->flag);
		_exit(0);
	}
	/* Its child is ours then, and the test may not end before it. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	child_done(parent);
	flag_raise(ended);
	flag_await(self->flag, 1);
	wait(NULL);
}

TEST_F(notify, child_of_its_own)
{
	pid_t child;

	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, TRY(mq_notify(self->queue, NULL)));
	child = child_fork();
	if (!child) {
		EXPECT_EQ(0, notify(self->queue, SIGUSR1, 2));
		flag_raise(self->flag);
		expect_signal(SIGUSR1, 2, getppid());
		_exit(0);
	}
	flag_await(self->flag, 1);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	child_done(child);
	expect_no_signal();
}

/* Of its own descriptors, which are not those of its parent. */
TEST_F(notify, closed_by_a_child)
{
	pid_t child;

	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	child = child_fork();
	if (!child) {
		EXPECT_EQ(0, mq_close(self->queue));
		_exit(0);
	}
	child_done(child);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 1, getpid());
}

TEST_F(notify, nobody_is_told_by_none)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };

	EXPECT_EQ(0, TRY(mq_notify(self->queue, &event)));
	EXPECT_EQ(-EBUSY, TRY(mq_notify(self->queue, &event)));
	EXPECT_EQ(-EBUSY, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_no_signal();
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, TRY(mq_notify(self->queue, NULL)));
}

static struct {
	unsigned int calls;
	int value;
	size_t stack;
	int blocked;
	bool itself;
} thread_saw;

static pthread_t main_thread;

static void in_thread(union sigval value)
{
	pthread_attr_t attr;
	sigset_t mask;

	thread_saw.value = value.sival_int;
	thread_saw.itself = pthread_equal(pthread_self(), main_thread);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	thread_saw.blocked = sigismember(&mask, SIGTERM);
	if (!pthread_getattr_np(pthread_self(), &attr)) {
		pthread_attr_getstacksize(&attr, &thread_saw.stack);
		pthread_attr_destroy(&attr);
	}
	flag_raise(&thread_saw.calls);
}

TEST_F(notify, by_thread)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = in_thread,
		.sigev_value.sival_int = 8,
	};

	main_thread = pthread_self();
	EXPECT_EQ(0, TRY(mq_notify(self->queue, &event)));
	send_by_other(self->queue);
	flag_await(&thread_saw.calls, 1);
	EXPECT_EQ(8, thread_saw.value);
	EXPECT_EQ(0, thread_saw.blocked);
	EXPECT_FALSE(thread_saw.itself);
	/* Once. */
	drain(self->queue);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	drain(self->queue);
	event.sigev_value.sival_int = 9;
	EXPECT_EQ(0, TRY(mq_notify(self->queue, &event)));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	flag_await(&thread_saw.calls, 2);
	EXPECT_EQ(9, thread_saw.value);
}

TEST_F(notify, by_thread_with_attributes)
{
	pthread_attr_t attr;
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = in_thread,
		.sigev_notify_attributes = &attr,
	};

	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, 3 << 18));
	EXPECT_EQ(0, TRY(mq_notify(self->queue, &event)));
	/* They are the caller's again. */
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, 1 << 17));
	pthread_attr_destroy(&attr);
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	flag_await(&thread_saw.calls, 1);
	EXPECT_EQ(3 << 18, thread_saw.stack);
}

static mqd_t again_queue;
static unsigned int again_got;

/* As the manual page does it: register again, then take all there is. */
static void again(union sigval value)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = again,
		.sigev_value = value,
	};
	char data[SIZE];

	EXPECT_EQ(0, TRY(mq_notify(again_queue, &event)));
	while (mq_receive(again_queue, data, SIZE, NULL) >= 0)
		flag_raise(&again_got);
}

TEST_F(notify, by_thread_again_and_again)
{
	int i;

	again_queue = queue_open(O_RDONLY | O_NONBLOCK);
	again((union sigval){ .sival_int = 0 });
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, send_text(self->queue, "text", 0));
	flag_await(&again_got, 100);
	EXPECT_EQ(0, TRY(mq_notify(self->queue, NULL)));
}

static void handler(int signal, siginfo_t *info, void *context)
{
	char data[SIZE];

	(void)context;
	EXPECT_EQ(0, notify(again_queue, signal, info->si_value.sival_int + 1));
	while (mq_receive(again_queue, data, SIZE, NULL) >= 0)
		flag_raise(&again_got);
}

TEST_F(notify, by_signal_again_and_again)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
	int i;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, sigprocmask(SIG_UNBLOCK, &signals, NULL));
	again_queue = queue_open(O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(0, notify(again_queue, SIGUSR1, 0));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, send_text(self->queue, "text", 0));
	flag_await(&again_got, 100);
	EXPECT_EQ(0, TRY(mq_notify(self->queue, NULL)));
}

TEST_F(notify, several_queues)
{
	char name[64];
	mqd_t second;

	snprintf(name, sizeof(name), "%s-second", queue_name());
	second = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
	ASSERT_LE(0, second);
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, notify(second, SIGRTMIN + 3, 2));
	EXPECT_EQ(0, send_text(second, "text", 0));
	expect_signal(SIGRTMIN + 3, 2, getpid());
	EXPECT_EQ(-EBUSY, notify(self->queue, SIGUSR1, 3));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 1, getpid());
	EXPECT_EQ(0, TRY(mq_unlink(name)));
	EXPECT_EQ(0, TRY(mq_close(second)));
}

TEST_F(notify, goes_on_without_the_name)
{
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 1));
	EXPECT_EQ(0, TRY(mq_unlink(queue_name())));
	EXPECT_EQ(0, send_text(self->queue, "text", 0));
	expect_signal(SIGUSR1, 1, getpid());
	/* For the one that ends the test. */
	queue_new(O_RDWR);
}

TEST_F(notify, wrong_event_is_einval)
{
	struct sigevent event = { .sigev_notify = 77 };

	EXPECT_EQ(-EINVAL, TRY(mq_notify(self->queue, &event)));
	EXPECT_EQ(-EINVAL, notify(self->queue, 65, 0));
	EXPECT_EQ(-EINVAL, notify(self->queue, -1, 0));
	EXPECT_EQ(-EINVAL, notify(-1, 65, 0));
	EXPECT_EQ(0, notify(self->queue, SIGUSR1, 0));
}

TEST_F(notify, no_queue_is_ebadf)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, notify(-1, SIGUSR1, 0));
	EXPECT_EQ(-EBADF, notify(pipes[0], SIGUSR1, 0));
	EXPECT_EQ(-EBADF, TRY(mq_notify(-1, NULL)));
	EXPECT_EQ(-EBADF, TRY(mq_notify(pipes[0], NULL)));
	EXPECT_EQ(-EBADF, TRY(mq_notify(pipes[0], &event)));
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = in_thread;
	EXPECT_EQ(-EBADF, TRY(mq_notify(pipes[0], &event)));
}

TEST_HARNESS_MAIN
