// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The client's side: a procedure call is a call on the mailbox.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox-rpc.h"

/*
 * @timeout: set by CLSET_TIMEOUT: then it counts, and what a stub says does not
 * @xid: number of the last request. The kernel brings answer and caller together; this is for
 *	those who ask for it.
 */
struct client {
	CLIENT clnt;
	struct rpc_err error;
	struct timeval timeout;
	bool has_timeout;
	rpcprog_t program;
	rpcvers_t version;
	u_int32_t xid;
	int handle;
	bool close_handle;
	unsigned int sendsize;
	unsigned int recvsize;
	char *request;
	char *answer;
};

/* What was sent certainly has no effect, or the answer is what is missing. */
static enum clnt_stat status_of(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return RPC_TIMEDOUT;
	case EINTR:
		return RPC_INTR;
	case EPIPE:
	case EAGAIN:
	case EMSGSIZE:
	case EDQUOT:
	case ENOMEM:
	case EINVAL:
	case EBADF:
	case ENOTTY:
		return RPC_CANTSEND;
	default:
		return RPC_CANTRECV;
	}
}

static enum clnt_stat fail(struct client *client, enum clnt_stat status, int error)
{
	client->error.re_status = status;
	client->error.re_errno = error;
	return status;
}

/* Its length, or 0 when it cannot be encoded in sendsize bytes. */
static unsigned int encode(struct client *client, rpcproc_t procedure, xdrproc_t xargs, void *args)
{
	AUTH *auth = client->clnt.cl_auth;
	struct rpc_msg header = {
		.rm_xid = client->xid,
		.rm_direction = CALL,
		.rm_call = {
			.cb_rpcvers = RPC_MSG_VERSION,
			.cb_prog = client->program,
			.cb_vers = client->version,
		},
	};
	u_int32_t number = procedure;
	unsigned int length = 0;
	XDR xdrs;

	xdrmem_create(&xdrs, client->request, client->sendsize, XDR_ENCODE);
	if (xdr_callhdr(&xdrs, &header) && xdr_u_int32_t(&xdrs, &number) &&
	    AUTH_MARSHALL(auth, &xdrs) && AUTH_WRAP(auth, &xdrs, xargs, args))
		length = xdr_getpos(&xdrs);
	xdr_destroy(&xdrs);
	return length;
}

static enum clnt_stat decode(struct client *client, size_t length, struct rpc_msg *reply,
			     xdrproc_t xresults, void *results)
{
	struct opaque_auth *verifier = &reply->acpted_rply.ar_verf;
	AUTH *auth = client->clnt.cl_auth;
	XDR xdrs;

	memset(reply, 0, sizeof(*reply));
	*verifier = _null_auth;
	/* The results come behind the header: only then is it known that there are any. */
	reply->acpted_rply.ar_results.proc = (xdrproc_t)xdr_void;

	xdrmem_create(&xdrs, client->answer, length, XDR_DECODE);
	if (!xdr_replymsg(&xdrs, reply) || reply->rm_xid != client->xid) {
		fail(client, RPC_CANTDECODERES, 0);
	} else {
		_seterr_reply(reply, &client->error);
		if (client->error.re_status == RPC_SUCCESS) {
			if (!AUTH_VALIDATE(auth, verifier)) {
				client->error.re_status = RPC_AUTHERROR;
				client->error.re_why = AUTH_INVALIDRESP;
			} else if (xresults && !AUTH_UNWRAP(auth, &xdrs, xresults, results)) {
				fail(client, RPC_CANTDECODERES, 0);
			}
		}
	}
	if (reply->rm_direction == REPLY && reply->rm_reply.rp_stat == MSG_ACCEPTED)
		xdr_free((xdrproc_t)xdr_opaque_auth, (char *)verifier);
	xdr_destroy(&xdrs);
	return client->error.re_status;
}

static uint64_t deadline_of(const struct timeval *timeout)
{
	uint64_t seconds = timeout->tv_sec;

	if (seconds > UINT64_MAX / 2000000000)
		return UINT64_MAX;
	return mailbox_deadline_in(seconds * 1000000000 + timeout->tv_usec * 1000ULL);
}

/*
 * No time to wait means, as with other transports, that no answer is wanted: the request goes
 * as a message like any other, and what it leads to is not known.
 */
static enum clnt_stat send_only(struct client *client, struct mailbox_message *request,
				bool wants_results)
{
	int ret = mailbox_send_message(client->handle, request, MAILBOX_NONBLOCK, 0);

	if (ret)
		return fail(client, status_of(-ret), -ret);
	return wants_results ? fail(client, RPC_TIMEDOUT, ETIMEDOUT) : RPC_SUCCESS;
}

static enum clnt_stat client_call(CLIENT *clnt, rpcproc_t procedure, xdrproc_t xargs, void *args,
				  xdrproc_t xresults, void *results, struct timeval timeout)
{
	struct client *client = clnt->cl_private;
	struct mailbox_message answer;
	int ret, refreshes = 2;
	struct rpc_msg reply;
	uint64_t deadline;

	if (client->has_timeout)
		timeout = client->timeout;
	deadline = deadline_of(&timeout);

	do {
		struct mailbox_message request = { .data = client->request };

		answer = (struct mailbox_message){
			.data = client->answer,
			.room = client->recvsize,
		};
		client->xid++;
		fail(client, RPC_SUCCESS, 0);
		request.length = encode(client, procedure, xargs, args);
		if (!request.length)
			return fail(client, RPC_CANTENCODEARGS, 0);
		if (!timeout.tv_sec && !timeout.tv_usec)
			return send_only(client, &request, xresults);

		ret = mailbox_call(client->handle, &request, &answer, MAILBOX_DEADLINE, deadline);
		if (ret)
			return fail(client, status_of(-ret), -ret);
	} while (decode(client, answer.length, &reply, xresults, results) == RPC_AUTHERROR &&
		 refreshes-- && AUTH_REFRESH(clnt->cl_auth, &reply));

	return client->error.re_status;
}

/* A call has ended before anybody could give it up. */
static void client_abort(CLIENT *clnt)
{
	(void)clnt;
}

static void client_geterr(CLIENT *clnt, struct rpc_err *error)
{
	const struct client *client = clnt->cl_private;

	*error = client->error;
}

static bool_t client_freeres(CLIENT *clnt, xdrproc_t xresults, void *results)
{
	(void)clnt;
	xdr_free(xresults, results);
	return TRUE;
}

static void client_destroy(CLIENT *clnt)
{
	struct client *client = clnt->cl_private;

	if (client->close_handle)
		close(client->handle);
	free(clnt->cl_netid);
	free(clnt->cl_tp);
	free(client->request);
	free(client->answer);
	free(client);
}

static bool_t set_timeout(struct client *client, const struct timeval *timeout)
{
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0 || timeout->tv_usec >= 1000000)
		return FALSE;
	client->timeout = *timeout;
	client->has_timeout = true;
	return TRUE;
}

static bool_t client_control(CLIENT *clnt, u_int request, void *info)
{
	struct client *client = clnt->cl_private;

	switch (request) {
	case CLSET_FD_CLOSE:
	case CLSET_FD_NCLOSE:
		client->close_handle = request == CLSET_FD_CLOSE;
		return TRUE;
	}
	if (!info)
		return FALSE;

	switch (request) {
	case CLSET_TIMEOUT:
		return set_timeout(client, info);
	case CLGET_TIMEOUT:
		*(struct timeval *)info = client->timeout;
		return TRUE;
	case CLGET_FD:
		*(int *)info = client->handle;
		return TRUE;
	case CLGET_XID:
		*(u_int32_t *)info = client->xid;
		return TRUE;
	case CLSET_XID: /* of the next request */
		client->xid = *(u_int32_t *)info - 1;
		return TRUE;
	case CLGET_VERS:
		*(u_int32_t *)info = client->version;
		return TRUE;
	case CLSET_VERS:
		client->version = *(u_int32_t *)info;
		return TRUE;
	case CLGET_PROG:
		*(u_int32_t *)info = client->program;
		return TRUE;
	case CLSET_PROG:
		client->program = *(u_int32_t *)info;
		return TRUE;
	default:
		return FALSE;
	}
}

static struct clnt_ops client_ops = {
	.cl_call = client_call,
	.cl_abort = client_abort,
	.cl_geterr = client_geterr,
	.cl_freeres = client_freeres,
	.cl_destroy = client_destroy,
	.cl_control = client_control,
};

static CLIENT *not_created(int error)
{
	rpc_createerr.cf_stat = RPC_SYSTEMERROR;
	rpc_createerr.cf_error.re_status = RPC_SYSTEMERROR;
	rpc_createerr.cf_error.re_errno = error;
	errno = error;
	return NULL;
}

CLIENT *clnt_mailbox_fd_create(int handle, rpcprog_t program, rpcvers_t version,
			       unsigned int sendsize, unsigned int recvsize)
{
	struct mailbox_stat stat;
	struct client *client;
	int ret;

	ret = mailbox_stat(handle, &stat);
	if (ret)
		return not_created(-ret);
	client = calloc(1, sizeof(*client));
	if (!client)
		return not_created(ENOMEM);

	client->clnt.cl_ops = &client_ops;
	client->clnt.cl_private = client;
	client->clnt.cl_netid = strdup("mailbox");
	client->clnt.cl_tp = strdup("/dev/mailbox");
	client->clnt.cl_auth = authnone_create();
	client->program = program;
	client->version = version;
	client->handle = handle;
	client->sendsize = sendsize ? sendsize : stat.message_size;
	client->recvsize = recvsize ? recvsize : stat.message_size;
	client->request = malloc(client->sendsize);
	client->answer = malloc(client->recvsize);
	if (!client->clnt.cl_netid || !client->clnt.cl_tp || !client->clnt.cl_auth ||
	    !client->request || !client->answer) {
		client_destroy(&client->clnt);
		return not_created(ENOMEM);
	}
	return &client->clnt;
}

CLIENT *clnt_mailbox_create(const char *name, rpcprog_t program, rpcvers_t version,
			    unsigned int sendsize, unsigned int recvsize)
{
	int device, handle, error;
	CLIENT *clnt;

	device = mailbox_device_open();
	if (device < 0)
		return not_created(-device);
	handle = mailbox_open(device, name, MAILBOX_RIGHT_SEND, 0);
	close(device);
	if (handle < 0)
		return not_created(-handle);

	clnt = clnt_mailbox_fd_create(handle, program, version, sendsize, recvsize);
	if (clnt) {
		clnt_control(clnt, CLSET_FD_CLOSE, NULL);
		return clnt;
	}
	error = errno;
	close(handle);
	errno = error;
	return NULL;
}
