// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mq_tell.h"
#include "mq.h"

struct task {
	void (*function)(union sigval value);
	union sigval value;
};

/* The caller may destroy his own before the thread begins. There is no call that copies them. */
static int copy_attributes(pthread_attr_t *to, const pthread_attr_t *from)
{
	struct sched_param param;
	sigset_t mask;
	size_t bytes;
	void *stack;
	cpu_set_t cpus;
	int value;

	if (!pthread_attr_getguardsize(from, &bytes))
		pthread_attr_setguardsize(to, bytes);
	if (!pthread_attr_getschedpolicy(from, &value))
		pthread_attr_setschedpolicy(to, value);
	if (!pthread_attr_getschedparam(from, &param))
		pthread_attr_setschedparam(to, &param);
	if (!pthread_attr_getinheritsched(from, &value))
		pthread_attr_setinheritsched(to, value);
	if (!pthread_attr_getscope(from, &value))
		pthread_attr_setscope(to, value);
	if (!pthread_attr_getaffinity_np(from, sizeof(cpus), &cpus) &&
	    CPU_COUNT(&cpus) < CPU_SETSIZE)
		pthread_attr_setaffinity_np(to, sizeof(cpus), &cpus);
	if (!pthread_attr_getsigmask_np(from, &mask))
		pthread_attr_setsigmask_np(to, &mask);
	/* Without a stack of his own this says where one of the given size would begin: nowhere. */
	if (!pthread_attr_getstack(from, &stack, &bytes) && stack && (uintptr_t)stack + bytes)
		return pthread_attr_setstack(to, stack, bytes);
	return pthread_attr_getstacksize(from, &bytes) ? 0 : pthread_attr_setstacksize(to, bytes);
}

int mq_news_init(struct mq_news *news, const struct sigevent *event)
{
	const pthread_attr_t *given = event->sigev_notify_attributes;
	sigset_t none;
	int error;

	news->event = *event;
	if (event->sigev_notify != SIGEV_THREAD)
		return 0;
	error = pthread_attr_init(&news->attributes);
	if (error)
		return error;
	/* Not what is blocked where it is begun, which is everything. */
	sigemptyset(&none);
	error = pthread_attr_setsigmask_np(&news->attributes, &none);
	if (!error && given)
		error = copy_attributes(&news->attributes, given);
	/* Nobody could join it. */
	if (!error)
		error = pthread_attr_setdetachstate(&news->attributes, PTHREAD_CREATE_DETACHED);
	if (error)
		pthread_attr_destroy(&news->attributes);
	return error;
}

void mq_news_fini(struct mq_news *news)
{
	if (news->event.sigev_notify == SIGEV_THREAD)
		pthread_attr_destroy(&news->attributes);
}

static void *run(void *argument)
{
	struct task task = *(struct task *)argument;

	free(argument);
	task.function(task.value);
	return NULL;
}

static void begin_thread(const struct mq_news *news)
{
	struct task *task = malloc(sizeof(*task));
	pthread_t thread;

	if (!task)
		return;
	task->function = news->event.sigev_notify_function;
	task->value = news->event.sigev_value;
	if (pthread_create(&thread, &news->attributes, run, task))
		free(task);
}

/* The message itself says whose it is, while it is there and we may look. */
static void find_sender(int handle, siginfo_t *info)
{
	struct mailbox_receive peek = {
		.size = sizeof(peek),
		.flags = MAILBOX_PEEK | MAILBOX_NONBLOCK | MAILBOX_TRUNCATE,
	};
	struct mailbox_stat stat = { .size = sizeof(stat) };

	if (!ioctl(handle, MAILBOX_IOC_RECEIVE, &peek)) {
		info->si_pid = peek.pid;
		info->si_uid = peek.uid;
	} else if (!ioctl(handle, MAILBOX_IOC_STAT, &stat)) {
		info->si_pid = stat.last_sender;
		info->si_uid = getuid();
	}
}

static void send_signal(const struct mq_news *news, int handle)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	find_sender(handle, &info);
	info.si_signo = news->event.sigev_signo;
	info.si_code = SI_MESGQ;
	info.si_value = news->event.sigev_value;
	syscall(SYS_rt_sigqueueinfo, getpid(), info.si_signo, &info);
}

void mq_tell(const struct mq_news *news, int handle)
{
	struct mailbox_stat stat = { .size = sizeof(stat) };

	/* The end of a mailbox is told in the same way, but is no message. */
	if (ioctl(handle, MAILBOX_IOC_STAT, &stat) && errno == EIDRM)
		return;
	switch (news->event.sigev_notify) {
	case SIGEV_SIGNAL:
		send_signal(news, handle);
		break;
	case SIGEV_THREAD:
		begin_thread(news);
		break;
	}
}
