// SPDX-License-Identifier: GPL-2.0
/*
 * A message under a lease, and the command that works on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"

/* Behind standard input, output and error. */
#define FIRST_FILE 3

/*
 * A file in memory rather than a pipe: it takes the whole payload at once, so a command
 * that reads slowly or not at all holds up nobody, and the command may seek in it.
 */
static int payload_open(const struct mailbox_message *message)
{
	const char *data = message->data;
	size_t done = 0;
	ssize_t part;
	int fd;

	fd = memfd_create("payload", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;

	while (done < message->length) {
		part = write(fd, data + done, message->length - done);
		if (part < 0) {
			part = -errno;
			close(fd);
			return part;
		}
		done += part;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void set_number(const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	setenv(name, text, 1);
}

static void set_environment(const struct mailbox_message *message)
{
	set_number("MAILBOX_SEQUENCE", message->sequence);
	set_number("MAILBOX_TYPE", message->type);
	set_number("MAILBOX_PRIORITY", message->priority);
	set_number("MAILBOX_DELIVERIES", message->deliveries);
	set_number("MAILBOX_PID", message->pid);
	set_number("MAILBOX_UID", message->uid);
	set_number("MAILBOX_FILES", message->nr_files);
}

/*
 * Descriptors 3 and on. All that is still needed goes out of the way first, also what
 * another one of these stands on.
 */
static bool hand_over_files(const struct mailbox_message *message, int *failure)
{
	const int nr = message->nr_files, free = FIRST_FILE + nr;
	int moved[MAILBOX_FILES_MAX], i;

	*failure = fcntl(*failure, F_DUPFD_CLOEXEC, free);
	for (i = 0; i < nr; i++) {
		moved[i] = fcntl(message->files[i], F_DUPFD_CLOEXEC, free);
		if (moved[i] < 0)
			return false;
	}
	for (i = 0; i < nr; i++)
		if (dup2(moved[i], FIRST_FILE + i) < 0)
			return false;
	return true;
}

static void close_files(const struct mailbox_message *message)
{
	uint32_t i;

	for (i = 0; i < message->nr_files; i++)
		close(message->files[i]);
}

/* In the new process, up to the command; the pipe tells the worker why there is none. */
static void become(const struct mailbox_message *message, char **command, const sigset_t *mask,
		   int payload, int answer, int failure, pid_t worker)
{
	int error;

	/*
	 * The job goes back when the worker ends, and then somebody else has it: nobody may
	 * go on with it here. The worker may have ended already.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != worker)
		_exit(EXIT_OTHER);

	/* Ctrl-C lets the worker end, after what is at work. */
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	set_environment(message);
	/* dup2(2) leaves close-on-exec set when both are the same. */
	if (payload == STDIN_FILENO)
		fcntl(payload, F_SETFD, 0);
	else
		dup2(payload, STDIN_FILENO);
	if (answer == STDOUT_FILENO)
		fcntl(answer, F_SETFD, 0);
	else if (answer >= 0)
		dup2(answer, STDOUT_FILENO);
	if (hand_over_files(message, &failure))
		execvp(command[0], command);
	error = errno;
	while (write(failure, &error, sizeof(error)) < 0 && errno == EINTR)
		continue;
	_exit(EXIT_OTHER);
}

/* The errno with which the command could not be run, or 0 as soon as it runs. */
static int read_failure(int fd)
{
	int error = 0;

	while (read(fd, &error, sizeof(error)) < 0 && errno == EINTR)
		continue;
	close(fd);
	return error;
}

static int cannot_run(char **command, int error)
{
	complain("cannot run '%s': %s", command[0], strerror(error));
	return error == ENOENT ? 127 : 126;
}

int job_start(struct job *job, const struct mailbox_message *message, char **command,
	      const sigset_t *mask, bool answers)
{
	int failure[2] = { -1, -1 }, payload, error;
	pid_t worker = getpid();

	job->pid = -1;
	job->answer = -1;
	payload = payload_open(message);
	if (answers)
		job->answer = memfd_create("answer", MFD_CLOEXEC);
	if (payload >= 0 && (job->answer >= 0 || !answers) && !pipe2(failure, O_CLOEXEC))
		job->pid = fork();
	error = payload < 0 ? -payload : errno;
	if (!job->pid)
		become(message, command, mask, payload, job->answer, failure[1], worker);
	close_files(message);
	if (payload >= 0)
		close(payload);
	if (failure[1] >= 0)
		close(failure[1]);
	if (job->pid < 0) {
		complain("cannot start '%s': %s", command[0], strerror(error));
		if (failure[0] >= 0)
			close(failure[0]);
		if (job->answer >= 0)
			close(job->answer);
		return EXIT_OTHER;
	}

	error = read_failure(failure[0]);
	job->pidfd = error ? -1 : pidfd_open(job->pid, 0);
	if (job->pidfd >= 0)
		return EXIT_OK;

	if (!error) {
		error = errno;
		kill(-job->pid, SIGKILL);
	}
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (job->answer >= 0)
		close(job->answer);
	return cannot_run(command, error);
}

char *job_answer(const struct job *job, size_t *length)
{
	off_t size = lseek(job->answer, 0, SEEK_END);
	char *data = size < 0 ? NULL : malloc(size + 1);
	ssize_t part;

	for (*length = 0; data && *length < (size_t)size; *length += part) {
		part = pread(job->answer, data + *length, size - *length, *length);
		if (part <= 0)
			break;
	}
	return data;
}

bool job_succeeded(struct job *job, const struct target *target, char **command)
{
	const char *then = job->answer < 0 ? "goes back" : "is not answered";
	int status = -1;

	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	close(job->pidfd);
	if (WIFSIGNALED(status))
		complain("message %llu of %s %s: '%s' was ended by signal %d, %s",
			 (unsigned long long)job->sequence, target->shown, then, command[0],
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		complain("message %llu of %s %s: '%s' ended with status %d",
			 (unsigned long long)job->sequence, target->shown, then, command[0],
			 WEXITSTATUS(status));
	return !status;
}
