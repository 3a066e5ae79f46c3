/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of RESTRICT and REVOKE.
 */
#ifndef SELFTESTS_COMMON_GRANT_H
#define SELFTESTS_COMMON_GRANT_H

#include "common.h"

static inline struct mailbox_restrict restrict_args(__u32 rights)
{
	return (struct mailbox_restrict){
		.size = sizeof(struct mailbox_restrict),
		.rights = rights,
		.fd = (__s32)POISON32,
		.grant = POISON64,
	};
}

/* Its grant, if it has got one. */
static inline int box_restrict_try(int fd, __u32 rights, __u64 *grant)
{
	struct mailbox_restrict args = restrict_args(rights);
	int ret = call(fd, MAILBOX_IOC_RESTRICT, &args);

	if (ret < 0)
		return ret;
	*grant = args.grant;
	return args.fd;
}

static inline int box_restrict(int fd, __u32 rights, __u64 *grant)
{
	int derived = box_restrict_try(fd, rights, grant);

	ASSERT_LE(0, derived);
	return derived;
}

static inline int box_revoke(int fd, __u64 grant)
{
	struct mailbox_revoke args = { .size = sizeof(args), .grant = grant };

	return call(fd, MAILBOX_IOC_REVOKE, &args);
}

static inline int box_revoke_all(int fd)
{
	struct mailbox_revoke args = { .size = sizeof(args), .flags = MAILBOX_REVOKE_ALL };

	return call(fd, MAILBOX_IOC_REVOKE, &args);
}

/* Revoked, and the process may use nothing of it any more. */
static inline bool is_revoked(int fd)
{
	const bool hung_up = poll_now(fd, 0) == (POLLHUP | POLLERR);
	struct mailbox_stat stat;
	int ret = box_stat_try(fd, &stat);

	/* It may be revoked between the two. */
	EXPECT_TRUE(ret == -EACCES || (!ret && !hung_up)) TH_LOG("STAT: %d", ret);
	return ret && hung_up;
}

#endif /* SELFTESTS_COMMON_GRANT_H */
