/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs about SysV shared memory share.
 */
#ifndef SELFTESTS_IPC_SHM_H
#define SELFTESTS_IPC_SHM_H

#include "ipc.h"

#include <sys/shm.h>

/* A key that nobody else has, of this program. */
static inline key_t some_key(int nr)
{
	return 0x5e600000 + (getpid() & 0xffff) * 16 + nr;
}

static inline int segment_new(size_t size)
{
	int id = shmget(IPC_PRIVATE, size, 0600);

	ASSERT_LE(0, id) TH_LOG("shmget: %s", strerror(errno));
	return id;
}

static inline void segment_remove(int id)
{
	EXPECT_EQ(0, TRY(shmctl(id, IPC_RMID, NULL)));
}

static inline struct shmid_ds segment_stat(int id)
{
	struct shmid_ds segment;

	memset(&segment, 0xa5, sizeof(segment));
	ASSERT_EQ(0, TRY(shmctl(id, IPC_STAT, &segment)));
	return segment;
}

static inline int attaches(int id)
{
	return segment_stat(id).shm_nattch;
}

/* Once it has been removed, and is attached nowhere. */
static inline void expect_gone(int id)
{
	struct shmid_ds segment;

	EXPECT_EQ(-EINVAL, TRY(shmctl(id, IPC_STAT, &segment)));
}

/* The same, when the last who has it may just be on the way to its end. */
static inline void await_gone(int id)
{
	uint64_t end = now_ns() + PATIENCE;
	struct shmid_ds segment;

	while (!shmctl(id, IPC_STAT, &segment)) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
	EXPECT_EQ(EINVAL, errno);
}

/* Likewise: what a process that has ended had is given up when nobody looks at it any more. */
static inline void await_attaches(int id, int count)
{
	uint64_t end = now_ns() + PATIENCE;

	while (attaches(id) != count) {
		ASSERT_LT(now_ns(), end);
		sched_yield();
	}
}

/* The negative errno of an attach that fails, or 0, and then it is undone. */
static inline int attach_error(int id, const void *address, int flags)
{
	void *start = shmat(id, address, flags);

	if (start == (void *)-1)
		return -errno;
	EXPECT_EQ(0, TRY(shmdt(start)));
	return 0;
}

static inline char *attach(int id, const void *address, int flags)
{
	void *start = shmat(id, address, flags);

	ASSERT_TRUE(start != (void *)-1) TH_LOG("shmat: %s", strerror(errno));
	return start;
}

/* An address at which there is so much room, for now. */
static inline char *some_place(size_t size)
{
	char *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(place != MAP_FAILED);
	ASSERT_EQ(0, munmap(place, size));
	return place;
}

#endif /* SELFTESTS_IPC_SHM_H */
