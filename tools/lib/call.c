// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls and their answers.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

int mailbox_call(int handle, struct mailbox_message *request, struct mailbox_message *answer,
		 uint32_t flags, uint64_t deadline)
{
	struct mailbox_call call = { .size = sizeof(call) };
	int ret;

	if (request->expiry)
		return -EINVAL;
	if (request->length > UINT32_MAX)
		return -EMSGSIZE;

	call.flags = flags;
	call.data = mbx_address(request->data);
	call.length = request->length;
	call.priority = request->priority;
	call.type = request->type;
	call.deadline = deadline;
	if (answer) {
		call.answer = mbx_address(answer->data);
		call.room = answer->room < UINT32_MAX ? answer->room : UINT32_MAX;
	}
	ret = mbx_call(handle, MAILBOX_IOC_CALL, &call);
	if (ret < 0)
		return ret;

	request->sequence = call.sequence;
	if (answer) {
		*answer = (struct mailbox_message){
			.data = answer->data,
			.room = answer->room,
			.length = call.answer_length,
			.type = call.answer_type,
			.truncated = !!(call.result & MAILBOX_TRUNCATED),
			.pid = call.pid,
			.tid = call.tid,
			.uid = call.uid,
			.gid = call.gid,
		};
	}
	return 0;
}

static int to_reply(const struct mailbox_message *answer, uint64_t token,
		    struct mailbox_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	reply->size = sizeof(*reply);
	reply->token = token;
	if (!answer)
		return 0;
	if (answer->length > UINT32_MAX)
		return -EMSGSIZE;

	reply->data = mbx_address(answer->data);
	reply->length = answer->length;
	reply->type = answer->type;
	return 0;
}

int mailbox_reply(int handle, uint64_t token, const struct mailbox_message *answer)
{
	struct mailbox_reply reply;
	int ret = to_reply(answer, token, &reply);

	if (ret < 0)
		return ret;
	ret = mbx_call(handle, MAILBOX_IOC_REPLY, &reply);
	return ret < 0 ? ret : 0;
}

int mailbox_reply_receive(int handle, uint64_t token, const struct mailbox_message *answer,
			  struct mailbox_message *request, uint32_t flags, uint64_t deadline)
{
	struct mailbox_receive receive;
	struct mailbox_reply reply;
	int ret = to_reply(token ? answer : NULL, token, &reply), stopped;

	if (ret < 0)
		return ret;
	mbx_message_to_receive(request, NULL, flags | MAILBOX_ANSWER, &receive);
	receive.deadline = deadline;
	reply.receive = mbx_address(&receive);
	ret = mbx_call(handle, MAILBOX_IOC_REPLY_RECEIVE, &reply);
	stopped = ret < 0 ? ret : -reply.error;
	/* Without a token the error is that of the receive. */
	if (stopped == -EMSGSIZE && (ret >= 0 || !token))
		request->length = receive.length;
	if (ret < 0)
		return ret;
	if (stopped)
		return 1;

	mbx_message_from_receive(request, &receive);
	return 0;
}
