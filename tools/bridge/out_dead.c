// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that can never go: to the local mailbox of dead letters, where there is one. Else the
 * route stands still, and somebody has to decide.
 */
#include <errno.h>
#include <inttypes.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"
#include "out.h"

/* What is wrong with it, and what would mend that. */
static void describe(struct out *out, const struct letter *letter, char *what, size_t size,
		     const char **cure)
{
	switch (letter->misfit) {
	case LETTER_FILES:
		snprintf(what, size, "has %u open files, which cannot leave this host",
			 out->nr_files);
		*cure = "";
		return;
	case LETTER_LONG_FOR_STREAM:
		snprintf(what, size, "has %" PRIu64 " bytes, more than the stream takes",
			 letter->length);
		*cure = "raise max_msg_size of the stream, or ";
		return;
	default:
		snprintf(what, size,
			 "has %" PRIu64 " bytes, and with headers the server takes %" PRIu64,
			 letter->length, server_max_payload(out->route->bridge->server));
		*cure = "raise max_payload of the server, or ";
	}
}

static int send_there(struct out *out, struct letter *letter)
{
	struct mailbox_message message = { .files = out->files, .nr_files = out->nr_files };
	struct envelope envelope;
	int ret;

	/* Longer than all that a mailbox can take. */
	if (!letter->msg)
		return -EMSGSIZE;
	envelope_open(&envelope, letter->msg);
	message.type = envelope.type;
	message.priority = envelope.priority;
	message.expiry = letter->expiry;
	message.data = (void *)natsMsg_GetData(letter->msg);
	message.length = natsMsg_GetDataLength(letter->msg);
	ret = mailbox_send_message(out->dead, &message, MAILBOX_NONBLOCK | MAILBOX_FILES, 0);
	/* There are mailboxes that no files may be in. The rest of the message may. */
	if (ret == -ELOOP)
		ret = mailbox_send_message(out->dead, &message, MAILBOX_NONBLOCK, 0);
	return ret;
}

bool out_bury(struct out *out, struct letter *letter)
{
	const struct config_route *config = out->route->config;
	char what[128];
	const char *cure;
	int ret;

	describe(out, letter, what, sizeof(what), &cure);
	if (!config->dead_letter) {
		route_trouble(out->route, ROUTE_BLOCKED,
			      "message %" PRIu64
			      " of mailbox '%s' %s: %sgive the route a dead_letter",
			      letter->sequence, config->mailbox, what, cure);
		/* The stream may take it later, which only it can tell. */
		if (letter->misfit == LETTER_LONG_FOR_STREAM)
			letter->misfit = LETTER_FITS;
		return false;
	}

	if (out->dead < 0 &&
	    route_mailbox(out->route, config->dead_letter, MAILBOX_RIGHT_SEND, &out->dead)) {
		out->dead = -1;
		return false;
	}
	ret = send_there(out, letter);
	switch (ret) {
	case 0:
		out->route->dead++;
		log_line(LOG_WARNING,
			 "route '%s': message %" PRIu64 " of mailbox '%s' %s: it is in '%s' now",
			 config->name, letter->sequence, config->mailbox, what,
			 config->dead_letter);
		break;
	case -ETIMEDOUT:
		out->route->expired++;
		break;
	case -EAGAIN:
		route_trouble(out->route, ROUTE_BLOCKED,
			      "mailbox '%s' of dead letters is full: receive from it",
			      config->dead_letter);
		return false;
	case -EMSGSIZE:
		route_trouble(out->route, ROUTE_BLOCKED,
			      "message %" PRIu64
			      " of mailbox '%s' %s, and is too long for mailbox '%s' "
			      "of dead letters, too: make that for longer ones",
			      letter->sequence, config->mailbox, what, config->dead_letter);
		return false;
	default:
		close(out->dead);
		out->dead = -1;
		route_trouble(out->route, ROUTE_BLOCKED,
			      "message %" PRIu64
			      " of mailbox '%s' %s, and cannot be sent to mailbox '%s': "
			      "%s",
			      letter->sequence, config->mailbox, what, config->dead_letter,
			      mailbox_strerror(ret));
		return false;
	}
	flight_land(&out->flight, letter);
	return true;
}

void out_close_files(struct out *out)
{
	while (out->nr_files)
		close(out->files[--out->nr_files]);
}
