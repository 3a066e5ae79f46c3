/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory as two processors see it. Each has a buffer of what it has stored and nobody else
 * has seen yet; processor() lets it be seen. By itself:
 *
 *	x86 (TSO)	what was stored first is seen first; to take a lock waits until all is
 *	WEAK (PSO)	whatever was stored may be seen first, but for what was stored to the
 *			same place, and a store with release comes after all before it; to take
 *			a lock waits for nothing, to give it up is a store with release
 *
 * A processor sees its own stores at once. Loads are done in the order of the program; where
 * an acquire is missing, the model itself has the load done early. What compilers may do with
 * plain accesses is a part of this, and so never less than WEAK.
 *
 * What is printed is for a failure that is shown, see ordering.sh.
 */

/* Stores that one processor can have under way. One more waits. */
#define BUFFER		4

#define PLAIN		0
#define RELEASE		1

typedef stores {
	byte nr;
	byte place[BUFFER];
	byte value[BUFFER];
	bit release[BUFFER]
}

byte memory[PLACES];
stores buffer[PROCESSORS];

inline STORE(me, where, what, how)
{
	atomic {
		buffer[me].nr < BUFFER;
		d_step {
			buffer[me].place[buffer[me].nr] = where;
			buffer[me].value[buffer[me].nr] = what;
			buffer[me].release[buffer[me].nr] = how;
			buffer[me].nr++;
			printf("store %e %d\n", where + 1, what)
		}
	}
}

inline LOAD(me, where, what)
{
	d_step {
		what = memory[where];
		step = 0;
		do
		:: step < buffer[me].nr ->
			if
			:: buffer[me].place[step] == where -> what = buffer[me].value[step]
			:: else
			fi;
			step++
		:: else -> break
		od;
		step = 0;
		printf("load %e %d\n", where + 1, what)
	}
}

inline FULL_BARRIER(me)
{
	atomic { buffer[me].nr == 0; printf("full barrier\n") }
}

#ifdef WEAK
#define MAY_LOCK(me)		true
#else
#define MAY_LOCK(me)		buffer[me].nr == 0
#endif

inline LOCK(me, lock)
{
	atomic { memory[lock] == 0 && MAY_LOCK(me) -> memory[lock] = 1; printf("lock\n") }
}

inline UNLOCK(me, lock)
{
	STORE(me, lock, 0, RELEASE)
}

/* Does another have to be seen before the one at chosen? */
inline LOOK_FOR_EARLIER(me)
{
	earlier = buffer[me].release[chosen] && chosen > 0;
	step = 0;
	do
	:: step < chosen ->
		earlier = earlier || buffer[me].place[step] == buffer[me].place[chosen];
		step++
	:: else -> break
	od;
	step = 0
}

/* The store at chosen is seen, and the gap closed. */
inline SHOW(me)
{
	memory[buffer[me].place[chosen]] = buffer[me].value[chosen];
	printf("%e is %d\n", buffer[me].place[chosen] + 1, buffer[me].value[chosen]);
	buffer[me].nr--;
	do
	:: chosen < buffer[me].nr ->
		buffer[me].place[chosen] = buffer[me].place[chosen + 1];
		buffer[me].value[chosen] = buffer[me].value[chosen + 1];
		buffer[me].release[chosen] = buffer[me].release[chosen + 1];
		chosen++
	:: else -> break
	od;
	/* What is not in use is always the same, or equal states would count twice. */
	buffer[me].place[chosen] = 0;
	buffer[me].value[chosen] = 0;
	buffer[me].release[chosen] = 0
}

/* At any moment, and at some moment, what was stored is seen. */
inline LET_BE_SEEN(me)
{
end:	do
	:: atomic {
		buffer[me].nr > 0;
#ifdef WEAK
		do
		:: chosen < buffer[me].nr - 1 -> chosen++
		:: break
		od;
#endif
		d_step {
			LOOK_FOR_EARLIER(me);
			if
			:: !earlier -> SHOW(me)
			:: else
			fi;
			chosen = 0;
			earlier = false
		}
	   }
	od
}
