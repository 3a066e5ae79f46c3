/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two lanes and their receiver, who waits for either. A LANE_WAKE of one sender clears the words
 * of both lanes. Only sleep and wake-up: what goes through one lane is in lane.pml.
 *
 * What must hold: the receiver gets all, and does not sleep for ever before.
 */
#define RECEIVER	2
#define PROCESSORS	3

/* Of each sender. */
#define RECORDS		2

#define HEAD(lane)	(lane)
#define SLEEPS(lane)	(2 + (lane))
#define QUEUE		4
#define LANES		5
#define PLACES		6

/* Their names, the last first. */
mtype = { lock_of_lanes, queue_of_receiver, sleeps_1, sleeps_0, head_1, head_0 };

#include "memory.pml"

bool waits;
bool awake;

inline WAKE(me)
{
	LOCK(me, LANES);
	STORE(me, SLEEPS(0), 0, PLAIN);
	STORE(me, SLEEPS(1), 0, PLAIN);
	LOCK(me, QUEUE);
	if
	:: waits ->
		FULL_BARRIER(me);
		d_step { awake = true; waits = false }
	:: else
	fi;
	UNLOCK(me, QUEUE);
	UNLOCK(me, LANES)
}

#ifdef WITHOUT_SAYING_ALL
/* Only for the lane that had nothing when it was last looked at, as if the other were known. */
#define SAY(lane)	if :: seen[lane] == 0 -> STORE(RECEIVER, SLEEPS(lane), 1, PLAIN) :: else fi
#else
#define SAY(lane)	STORE(RECEIVER, SLEEPS(lane), 1, PLAIN)
#endif

inline WAIT()
{
	do
	:: LOCK(RECEIVER, QUEUE);
	   d_step { waits = true; awake = false };
	   UNLOCK(RECEIVER, QUEUE);
	   FULL_BARRIER(RECEIVER);
	   LOCK(RECEIVER, LANES);
	   SAY(0);
	   SAY(1);
	   FULL_BARRIER(RECEIVER);
	   LOAD(RECEIVER, HEAD(0), head[0]);
	   LOAD(RECEIVER, HEAD(1), head[1]);
	   UNLOCK(RECEIVER, LANES);
	   if
	   :: head[0] != seen[0] || head[1] != seen[1] -> break
	   :: else
	   fi;
	   printf("sleep\n");
	   awake;
	   printf("woken\n")
	od
}

active [2] proctype sender()
{
	byte head, step;
	bit sleeps;

	do
	:: head < RECORDS ->
		head++;
		STORE(_pid, HEAD(_pid), head, RELEASE);
		FULL_BARRIER(_pid);
		LOAD(_pid, SLEEPS(_pid), sleeps);
		if
		:: sleeps -> WAKE(_pid)
		:: else
		fi
	:: else -> break
	od
}

active proctype receiver()
{
	byte step;
	byte head[2], seen[2];

	do
	:: seen[0] == RECORDS && seen[1] == RECORDS -> break
	:: else ->
		LOAD(RECEIVER, HEAD(0), head[0]);
		LOAD(RECEIVER, HEAD(1), head[1]);
		if
		:: head[0] != seen[0] || head[1] != seen[1] ->
			d_step { seen[0] = head[0]; seen[1] = head[1] }
		:: else -> WAIT()
		fi
	od
}

/* What each of the three has stored. */
active [3] proctype processor()
{
	byte chosen, step;
	bool earlier;

end_unused:
	LET_BE_SEEN(_pid - 3)
}
