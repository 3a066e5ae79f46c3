/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmailbox-rpc: remote procedure calls (RFC 5531) over a mailbox, for programs whose stubs
 * rpcgen(1) has made and that are linked with libtirpc.
 *
 * A client makes its CLIENT with clnt_mailbox_create() where it had clnt_create(), a server its
 * SVCXPRT with svc_mailbox_create() where it had svc_tcp_create(); the rest stays as it is. No
 * rpcbind is needed. Documentation/rpc.rst tells more, and has the table of errors.
 */
#ifndef LIBMAILBOX_MAILBOX_RPC_H
#define LIBMAILBOX_MAILBOX_RPC_H

#include <rpc/rpc.h>

#include <mailbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct mailbox_caller - who has made the request that a server works on
 * @pid: process, 0 when it is not visible from here
 * @tid: thread, likewise
 * @uid: effective user id
 * @gid: effective group id
 *
 * It is the stamp of the kernel on the request, as the namespaces of the server see it; nothing
 * that the caller says has a part in it.
 */
struct mailbox_caller {
	pid_t pid;
	pid_t tid;
	uid_t uid;
	gid_t gid;
};

/**
 * clnt_mailbox_create() - a client of the server behind a mailbox
 * @name: of the mailbox
 * @program: its number, from the header that rpcgen made
 * @version: likewise
 * @sendsize: longest request in bytes, 0 for the longest message that the mailbox takes
 * @recvsize: longest answer in bytes, likewise
 *
 * Opens the mailbox with the right to send. One thread at a time may use the CLIENT; threads
 * that call at the same time want one each. It ends with clnt_destroy(), and has AUTH_NONE.
 *
 * Return: a CLIENT, or NULL: then clnt_pcreateerror() tells why, and errno is set.
 */
CLIENT *clnt_mailbox_create(const char *name, rpcprog_t program, rpcvers_t version,
			    unsigned int sendsize, unsigned int recvsize);

/**
 * clnt_mailbox_fd_create() - a client of the server behind a handle
 * @handle: with the right to send, without O_NONBLOCK. Stays the caller's to close, unless
 *	clnt_control() is told CLSET_FD_CLOSE.
 * @program: see clnt_mailbox_create()
 * @version: see clnt_mailbox_create()
 * @sendsize: see clnt_mailbox_create()
 * @recvsize: see clnt_mailbox_create()
 *
 * Return: see clnt_mailbox_create().
 */
CLIENT *clnt_mailbox_fd_create(int handle, rpcprog_t program, rpcvers_t version,
			       unsigned int sendsize, unsigned int recvsize);

/**
 * svc_mailbox_create() - serve a mailbox, which is made where there is none of that name
 * @name: of the mailbox
 * @sendsize: longest answer in bytes, 0 for the longest message that the mailbox takes
 * @recvsize: longest request in bytes, likewise. The arguments of a longer one cannot be
 *	decoded.
 *
 * The mailbox is a temporary one of mode 0600, for the same user only; svc_mailbox_fd_create()
 * serves any other. Give the result to svc_reg() with NULL for its netconfig, or to
 * svc_register() with the protocol 0, then call svc_run(), here or in children: any number of
 * processes may serve a mailbox. It ends with svc_destroy().
 *
 * Return: the transport, registered with svc_run(); or NULL with errno set.
 */
SVCXPRT *svc_mailbox_create(const char *name, unsigned int sendsize, unsigned int recvsize);

/**
 * svc_mailbox_fd_create() - serve the mailbox of a handle
 * @handle: with the right to receive, of a mailbox that is not for broadcasts. On success it
 *	belongs to the transport, which closes it.
 * @sendsize: see svc_mailbox_create()
 * @recvsize: see svc_mailbox_create()
 *
 * Return: see svc_mailbox_create(); EMFILE when libtirpc has no place for so large a
 * descriptor.
 */
SVCXPRT *svc_mailbox_fd_create(int handle, unsigned int sendsize, unsigned int recvsize);

/**
 * svc_mailbox_caller() - who has made the request that is being served
 * @transport: rq_xprt of the request
 * @caller: filled in on success
 *
 * Return: 0, -EINVAL when it is no transport of this library, or -ENOENT when there has been no
 * request yet.
 */
int svc_mailbox_caller(const SVCXPRT *transport, struct mailbox_caller *caller);

#ifdef __cplusplus
}
#endif

#endif /* LIBMAILBOX_MAILBOX_RPC_H */
