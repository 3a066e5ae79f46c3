// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox receive, subscribe and peek: take messages, or look at them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "receive.h"

static int output_bytes(const struct receive_request *request)
{
	struct mailbox_message message = request->message;
	int separator = request->separator;
	struct mailbox_origin origin;
	const char *data;
	size_t there;

	if (request->origin && origin_take(&message, &origin))
		origin_say(&origin);
	there = message.truncated ? message.room : message.length;
	data = message.data;

	/* Nobody wants the prompt behind the text; only a person looks at a terminal. */
	if (separator < 0 && isatty(STDOUT_FILENO) && (!there || data[there - 1] != '\n'))
		separator = '\n';

	if (there)
		fwrite(data, 1, there, stdout);
	if (separator >= 0)
		putchar(separator);
	return !fflush(stdout) && !ferror(stdout) ? 0 : -errno;
}

static int output(const struct receive_request *request)
{
	int error = 0;

	if (!request->json)
		error = output_bytes(request);
	else if (!json_output(request->origin ? origin_json(request->message) :
						json_from_message(&request->message)))
		error = -errno;
	if (!error)
		return EXIT_OK;

	if (request->peek) {
		complain("cannot write the output: %s", strerror(-error));
		return EXIT_OTHER;
	}
	complain("message %llu was taken from %s but could not be written (%s): it is lost; "
		 "when that matters, look with 'mailbox peek' first",
		 (unsigned long long)request->message.sequence, request->target.shown,
		 strerror(-error));
	return EXIT_LOST;
}

static int take(struct receive_request *request)
{
	const struct mailbox_selection *selection = &request->choice.selection;
	uint32_t flags = request->flags;

	if (request->peek)
		flags |= MAILBOX_PEEK;
	if (request->truncate)
		return mailbox_receive_message(request->handle, &request->message, selection,
					       flags | MAILBOX_TRUNCATE, request->deadline);
	return mailbox_receive_alloc(request->handle, &request->message, selection, flags,
				     request->deadline);
}

static int take_and_output(struct receive_request *request)
{
	enum doing doing = request->peek ? DOING_PEEK : DOING_RECEIVE;
	uint64_t done;
	int error, ret;

	for (done = 0; request->all || request->follow || done < request->count; done++) {
		/* Rather leave a message where it is than lose it. */
		if (!output_has_reader()) {
			complain("nobody reads the output any more; %s keeps its messages",
				 request->target.shown);
			return EXIT_OTHER;
		}

		error = take(request);
		if (error == -EAGAIN && request->all)
			return EXIT_OK;
		if (error < 0) {
			ret = report(doing, &request->target, error);
			if (done)
				complain("messages %s before that: %llu",
					 request->peek ? "shown" : "received",
					 (unsigned long long)done);
			return ret;
		}
		/* JSON says it itself. */
		if (request->message.missed && !request->json)
			complain("missed %llu messages of %s",
				 (unsigned long long)request->message.missed,
				 request->target.shown);
		ret = output(request);
		if (ret)
			return ret;
		if (request->peek)
			request->choice.selection.match++;
	}
	return EXIT_OK;
}

int receive_run(struct receive_request *request)
{
	int device, ret;

	ret = device_open(&device);
	if (ret)
		return ret;
	ret = target_open_with(device, &request->target, MAILBOX_RIGHT_RECEIVE, request->open_flags,
			       &request->handle);
	close(device);
	if (ret)
		return ret;
	/* From here on nothing that is sent goes past us: who waits for that may send. */
	if (request->subscribe)
		complain("subscribed to %s", request->target.shown);

	if (request->truncate && request->message.room) {
		request->message.data = malloc(request->message.room);
		if (!request->message.data) {
			complain("not enough memory");
			ret = EXIT_OTHER;
		}
	}
	if (request->flags & MAILBOX_DEADLINE)
		request->deadline = mailbox_deadline_in(request->timeout);
	if (!ret)
		ret = take_and_output(request);
	free(request->message.data);
	close(request->handle);
	return ret;
}
