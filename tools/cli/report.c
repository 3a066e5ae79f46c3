// SPDX-License-Identifier: GPL-2.0
/*
 * Errors: one sentence each, with what to do about it, and an exit code.
 */
#include <errno.h>
#include <stdarg.h>

#include "cli.h"

void complain(const char *format, ...)
{
	va_list arguments;

	fputs("mailbox: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static const char *verb(enum doing doing)
{
	static const char *const verbs[] = {
		[DOING_CREATE] = "create",	  [DOING_OPEN] = "open",
		[DOING_SEND] = "send to",	  [DOING_CALL] = "call",
		[DOING_RECEIVE] = "receive from", [DOING_PEEK] = "look into",
		[DOING_SET] = "change",		  [DOING_DESTROY] = "remove",
	};

	return verbs[doing];
}

static int report_missing(const struct target *target)
{
	if (target->name)
		complain("no %s; 'mailbox ls' shows those you may see, 'mailbox create' makes one",
			 target->shown);
	else
		complain("no %s, ids are not used twice; 'mailbox ls' shows those you may see",
			 target->shown);
	return EXIT_NO_MAILBOX;
}

static int report_permission(enum doing doing, const struct target *target, int error)
{
	if (error == -EPERM)
		complain("only the owner may do that to %s; 'mailbox stat' shows who that is",
			 target->shown);
	else
		complain("you may not %s %s; its owner can allow it with 'mailbox set --mode'",
			 verb(doing), target->shown);
	return EXIT_NOT_PERMITTED;
}

static int report_wait(enum doing doing, const struct target *target)
{
	if (doing == DOING_SEND || doing == DOING_CALL)
		complain("%s has no room, or nobody who waits for a message; receive from it, "
			 "or send again later (without --nonblock where it is made to wait)",
			 target->shown);
	else
		complain("%s has no such message now; 'mailbox receive' without --nonblock "
			 "waits for one",
			 target->shown);
	return EXIT_WOULD_WAIT;
}

/* Of a call, what is said of nothing else; or EXIT_OK. */
static int report_call(const struct target *target, int error)
{
	switch (-error) {
	case ECANCELED:
		complain("who had the request at %s did not answer it: it failed, or ended, or "
			 "only receives; it may be half done",
			 target->shown);
		return EXIT_NOT_ANSWERED;
	case EPIPE:
		complain("nobody can receive the request at %s; 'mailbox serve' does",
			 target->shown);
		return EXIT_NOT_ANSWERED;
	case ETIMEDOUT:
		complain("the time for %s is over and there is no answer; a longer --timeout "
			 "waits longer",
			 target->shown);
		return EXIT_TIMED_OUT;
	default:
		return EXIT_OK;
	}
}

int report(enum doing doing, const struct target *target, int error)
{
	int ret = doing == DOING_CALL ? report_call(target, error) : EXIT_OK;

	if (ret)
		return ret;
	switch (-error) {
	case ENOENT:
		return report_missing(target);
	case EACCES:
	case EPERM:
		return report_permission(doing, target, error);
	case EAGAIN:
		return report_wait(doing, target);
	case ETIMEDOUT:
		complain("the time for %s is over before there was %s; a longer --timeout waits "
			 "longer",
			 target->shown,
			 doing == DOING_SEND ? "room for the message" : "such a message");
		return EXIT_TIMED_OUT;
	case EIDRM:
		complain("%s was destroyed; 'mailbox create' makes a new one", target->shown);
		return EXIT_DESTROYED;
	case EEXIST:
		complain("%s exists already; use it, remove it with 'mailbox rm', or create "
			 "with --exist-ok",
			 target->shown);
		return EXIT_EXISTS;
	case EMSGSIZE:
		complain("%s does not take a message of that size; 'mailbox stat' shows which, "
			 "'mailbox set --message-size' can change it",
			 target->shown);
		return EXIT_TOO_LONG;
	case EDQUOT:
		complain("cannot %s %s: your quota is used up; 'mailbox info' shows it, receive "
			 "messages or remove mailboxes to get some back",
			 verb(doing), target->shown);
		return EXIT_QUOTA;
	case ELOOP:
		complain("cannot send to %s: mailboxes, Unix sockets, io_uring and /dev/mailbox do "
			 "not travel in messages; files, pipes and other sockets do, but to a "
			 "permanent mailbox only in the first network namespace",
			 target->shown);
		return EXIT_OTHER;
	case ENOBUFS:
		complain("cut off from %s: messages were overwritten before they were received; "
			 "without --cut-off they are only missed",
			 target->shown);
		return EXIT_CUT_OFF;
	case ESRCH:
		complain("%s has no message of that process, and the process is gone; "
			 "leave out --from to receive from others",
			 target->shown);
		return EXIT_OTHER;
	case EINVAL:
		complain("cannot %s %s: a value is out of its range, or two exclude each other; "
			 "'mailbox help %s' and 'mailbox info' show what goes",
			 verb(doing), target->shown, doing == DOING_SET ? "set" : "create");
		return EXIT_OTHER;
	case EOPNOTSUPP:
	case ENOTTY:
	case E2BIG:
		complain("cannot %s %s: the loaded module does not know this; is it older than "
			 "this command?",
			 verb(doing), target->shown);
		return EXIT_OTHER;
	default:
		complain("cannot %s %s: %s", verb(doing), target->shown, mailbox_strerror(error));
		return EXIT_OTHER;
	}
}
