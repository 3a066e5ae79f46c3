// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox work: runs a command for each message, under a lease.
 *
 * One loop that waits for messages, for commands that end, for signals, and for the time
 * at which a lease wants to be extended.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "job.h"
#include "work.h"

/* That a sender has ended wakes nobody who polls. */
#define LOOK_EVERY_NS 250000000

struct worker {
	const struct work_request *request;
	int handle;
	int epoll;
	int signals;
	sigset_t mask; /* what the commands get: that of whoever started us */
	struct mailbox_message message;
	int files[MAILBOX_FILES_MAX];
	struct job *jobs;
	unsigned int running;
	uint64_t taken;
	uint64_t quiet_since;
	bool more; /* there may be a message, as far as is known */
	bool signalled;
	bool stopping;
	int ret;
};

/* Takes no more; what runs may end. The first reason is the one that counts. */
static void stop(struct worker *worker, int ret)
{
	worker->stopping = true;
	if (!worker->ret)
		worker->ret = ret;
}

static bool watch_descriptor(struct worker *worker, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (!epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event))
		return true;

	complain("cannot wait: %s", strerror(errno));
	stop(worker, EXIT_OTHER);
	return false;
}

static uint64_t half_of_lease(const struct worker *worker)
{
	uint64_t lease = worker->request->lease;

	return lease ? mailbox_deadline_in(lease / 2) : UINT64_MAX;
}

static void give_back(struct worker *worker, uint64_t lease, uint64_t delay)
{
	int error = mailbox_nack(worker->handle, lease, delay);

	/* Whoever has lost a lease need not give it back. */
	if (error && error != -ESTALE && !worker->stopping)
		stop(worker, report(DOING_RECEIVE, &worker->request->target, error));
	worker->more = true;
}

static void acknowledge(struct worker *worker, const struct job *job)
{
	const char *shown = worker->request->target.shown;
	int error = mailbox_ack(worker->handle, job->lease);

	if (!error)
		return;

	if (error == -ESTALE) {
		complain("message %llu of %s was done after its lease had ended, by its expiry or "
			 "because this worker was stopped: others may have it too",
			 (unsigned long long)job->sequence, shown);
		worker->ret = worker->ret ? worker->ret : EXIT_OTHER;
	} else {
		stop(worker, report(DOING_RECEIVE, &worker->request->target, error));
	}
}

/* Return: whether the call needs no other end. */
static bool answer(struct worker *worker, const struct job *job)
{
	const char *shown = worker->request->target.shown;
	struct mailbox_message message = { 0 };
	int error;

	message.data = job_answer(job, &message.length);
	error = message.data ? mailbox_reply(worker->handle, job->lease, &message) : -ENOMEM;
	free(message.data);
	if (!error)
		return true;

	if (error == -ESTALE)
		complain("message %llu of %s was done after its caller had given up",
			 (unsigned long long)job->sequence, shown);
	else if (error == -EMSGSIZE)
		complain("message %llu of %s is not answered: the answer has %zu bytes, and the "
			 "caller has no room for that",
			 (unsigned long long)job->sequence, shown, message.length);
	else if (error == -EDQUOT) /* which is nobody's affair but that caller's */
		complain("message %llu of %s is not answered: the answer has %zu bytes, and the "
			 "quota of its caller is used up; 'mailbox info' shows it to that user",
			 (unsigned long long)job->sequence, shown, message.length);
	else
		stop(worker, report(DOING_RECEIVE, &worker->request->target, error));
	worker->ret = worker->ret ? worker->ret : EXIT_OTHER;
	return false;
}

static bool serve_ended(struct worker *worker, struct job *job)
{
	const struct work_request *request = worker->request;
	bool done = job_succeeded(job, &request->target, request->command);

	/* Others than calls are gone already. */
	if (job->lease) {
		if (!done || !answer(worker, job))
			give_back(worker, job->lease, 0);
	}
	close(job->answer);
	return done;
}

static void command_ended(struct worker *worker, struct job *job)
{
	const struct work_request *request = worker->request;

	if (request->serve) {
		if (!serve_ended(worker, job))
			worker->ret = worker->ret ? worker->ret : EXIT_OTHER;
	} else if (job_succeeded(job, &request->target, request->command)) {
		acknowledge(worker, job);
	} else {
		give_back(worker, job->lease, request->delay);
		worker->ret = worker->ret ? worker->ret : EXIT_OTHER;
	}
	worker->quiet_since = mailbox_now();
	*job = worker->jobs[--worker->running];
}

static void take(struct worker *worker)
{
	const struct work_request *request = worker->request;
	struct mailbox_message *message = &worker->message;
	struct job *job = &worker->jobs[worker->running];
	uint32_t how = request->serve ? MAILBOX_ANSWER : MAILBOX_LEASE;
	int ret;

	message->lease_time = request->lease;
	message->files = worker->files;
	message->max_files = MAILBOX_FILES_MAX;
	ret = mailbox_receive_alloc(worker->handle, message, &request->choice.selection,
				    how | MAILBOX_FILES | MAILBOX_NONBLOCK, 0);
	if (ret == -EAGAIN) {
		worker->more = false;
		return;
	}
	if (ret < 0) {
		stop(worker, report(DOING_RECEIVE, &request->target, ret));
		return;
	}

	worker->taken++;
	worker->quiet_since = mailbox_now();
	job->sequence = message->sequence;
	job->lease = message->lease;
	job->extend_at = half_of_lease(worker);
	ret = job_start(job, message, request->command, &worker->mask, request->serve);
	if (ret) {
		if (job->lease)
			give_back(worker, job->lease, 0);
		stop(worker, ret);
		return;
	}
	worker->running++;
	if (!watch_descriptor(worker, job->pidfd, EPOLLIN)) {
		/* Nobody would hear of its end. */
		kill(-job->pid, SIGKILL);
		command_ended(worker, job);
	}
}

static void extend(struct worker *worker, struct job *job)
{
	const struct work_request *request = worker->request;
	int error = mailbox_extend(worker->handle, job->lease, request->lease);

	job->extend_at = error ? UINT64_MAX : half_of_lease(worker);
	if (error == -ESTALE)
		complain("the lease of message %llu of %s has ended, by its expiry or because "
			 "this worker was stopped: others may have it too; a longer --lease helps",
			 (unsigned long long)job->sequence, request->target.shown);
	else if (error)
		stop(worker, report(DOING_RECEIVE, &request->target, error));
}

static void signal_came(struct worker *worker)
{
	struct signalfd_siginfo info;
	unsigned int i;
	sigset_t mask;

	if (read(worker->signals, &info, sizeof(info)) != sizeof(info))
		return;

	if (!worker->signalled) {
		worker->signalled = true;
		stop(worker, EXIT_OK);
		if (worker->running)
			complain("commands that still run: %u; once they have ended the worker "
				 "ends, and at once if there is a second signal",
				 worker->running);
		return;
	}

	for (i = 0; i < worker->running; i++)
		kill(-worker->jobs[i].pid, SIGKILL);
	signal(info.ssi_signo, SIG_DFL);
	raise(info.ssi_signo);
	sigemptyset(&mask);
	sigaddset(&mask, info.ssi_signo);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static bool wants_more(const struct worker *worker)
{
	const struct work_request *request = worker->request;

	return !worker->stopping && (!request->counts || worker->taken < request->count);
}

static bool finished(const struct worker *worker)
{
	const struct work_request *request = worker->request;

	if (worker->running)
		return false;
	if (!wants_more(worker))
		return true;
	if (worker->more)
		return false;
	return request->all ||
	       (request->idles && mailbox_now() - worker->quiet_since >= request->idle);
}

/* Milliseconds until something has to be done, or -1. */
static int time_to_wait(const struct worker *worker)
{
	const struct work_request *request = worker->request;
	uint64_t now = mailbox_now(), until = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < worker->running; i++)
		until = worker->jobs[i].extend_at < until ? worker->jobs[i].extend_at : until;
	if (request->idles && !worker->running && worker->quiet_since + request->idle < until)
		until = worker->quiet_since + request->idle;
	if (request->choice.selection.select == MAILBOX_SELECT_SENDER &&
	    now + LOOK_EVERY_NS < until)
		until = now + LOOK_EVERY_NS;

	if (until == UINT64_MAX)
		return -1;
	if (until <= now)
		return 0;
	return (until - now) / 1000000 < INT_MAX ? (int)((until - now) / 1000000) + 1 : INT_MAX;
}

static void dispatch(struct worker *worker, int fd)
{
	unsigned int i;

	if (fd == worker->handle) {
		worker->more = true;
		return;
	}
	if (fd == worker->signals) {
		signal_came(worker);
		return;
	}
	for (i = 0; i < worker->running; i++) {
		if (worker->jobs[i].pidfd == fd) {
			command_ended(worker, &worker->jobs[i]);
			return;
		}
	}
}

static void wait_and_dispatch(struct worker *worker)
{
	struct epoll_event events[16];
	unsigned int i;
	uint64_t now;
	int nr;

	nr = epoll_wait(worker->epoll, events, 16, time_to_wait(worker));
	for (i = 0; (int)i < nr; i++)
		dispatch(worker, events[i].data.fd);

	now = mailbox_now();
	for (i = 0; i < worker->running; i++) {
		if (worker->jobs[i].extend_at <= now)
			extend(worker, &worker->jobs[i]);
	}
	if (worker->request->choice.selection.select == MAILBOX_SELECT_SENDER)
		worker->more = true;
}

static void work(struct worker *worker)
{
	for (;;) {
		while (worker->more && wants_more(worker) &&
		       worker->running < worker->request->jobs)
			take(worker);
		if (finished(worker))
			return;
		wait_and_dispatch(worker);
	}
}

/* Signals that somebody wants ignored, such as a shell for what is behind '&', stay so. */
static void add_signal(sigset_t *mask, int number)
{
	struct sigaction action;

	if (!sigaction(number, NULL, &action) && action.sa_handler != SIG_IGN)
		sigaddset(mask, number);
}

static void prepare(struct worker *worker)
{
	sigset_t mask;

	sigemptyset(&mask);
	add_signal(&mask, SIGTERM);
	add_signal(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, &worker->mask);

	worker->jobs = calloc(worker->request->jobs, sizeof(*worker->jobs));
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	worker->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!worker->jobs || worker->epoll < 0 || worker->signals < 0) {
		complain("cannot begin to work: %s", strerror(errno));
		stop(worker, EXIT_OTHER);
		return;
	}
	/* Edge-triggered: messages that are not for us must not wake us for ever. */
	if (watch_descriptor(worker, worker->handle, EPOLLIN | EPOLLET))
		watch_descriptor(worker, worker->signals, EPOLLIN);
}

int work_run(struct work_request *request)
{
	struct worker worker = { .request = request, .more = true };
	int device, ret;

	ret = device_open(&device);
	if (ret)
		return ret;
	ret = target_open(device, &request->target, MAILBOX_RIGHT_RECEIVE, &worker.handle);
	close(device);
	if (ret)
		return ret;

	prepare(&worker);
	worker.quiet_since = mailbox_now();
	work(&worker);
	free(worker.message.data);
	free(worker.jobs);
	close(worker.signals);
	close(worker.epoll);
	close(worker.handle);
	return worker.ret;
}
