#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Programs that others have written, each run twice: over the kernel's own queues and shared
# memory, and over mailboxes by 'mailbox run'. Both have to succeed, and to say the same where
# what they say does not differ from run to run. See ../vm/programs.sh for where they come from.
#
# shellcheck disable=SC2317,SC3043  # the functions are called by their names

if [ ! -c /dev/mailbox ] || ! command -v mailbox >/dev/null; then
	echo "1..0 # SKIP needs the module and 'mailbox'"
	exit 4
fi
if [ ! -d /programs ]; then
	echo "1..0 # SKIP this machine has no programs of others"
	exit 4
fi

here=$(readlink -f "$(dirname "$0")")
work=$(mktemp -d) || exit 1
cd "$work" || exit 1

# Where they are in their own tree.
PATH=$PATH:/usr/bin
export PATH

prepare()
{
	mount -t proc proc /programs/proc && mount --bind /dev /programs/dev || return
	cp /bin/mailbox /programs/usr/bin/ && cp /lib/libmailbox-compat.so /programs/usr/lib/ &&
		cp "$here"/programs/*.py /programs/tmp/
}

# shellcheck disable=SC2064
trap "cd /; umount /programs/proc /programs/dev; rm -rf '$work'" EXIT

# The number that the next mailbox gets: none is used twice.
next_id()
{
	mailbox create >id && cat id
}

# over kernel|mailboxes PROGRAM ARGUMENT...: prints and returns what it does.
over()
{
	local how="$1"

	shift
	if [ "$how" = mailboxes ]; then
		chroot /programs /usr/bin/mailbox run -- "$@"
	else
		chroot /programs "$@"
	fi
}

# used kernel|mailboxes BEFORE AFTER: whether mailboxes were made as that says.
used()
{
	if [ "$1" = mailboxes ]; then
		[ "$(($3 - $2))" -gt 1 ] && return
	else
		[ "$(($3 - $2))" -eq 1 ] && return
	fi
	echo "made $(($3 - $2 - 1)) mailboxes over $1"
	return 1
}

# twice PROGRAM ARGUMENT...: what each said is in said.kernel and said.mailboxes.
twice()
{
	local how before after

	for how in kernel mailboxes; do
		before=$(next_id)
		over "$how" "$@" >"said.$how" 2>&1 </dev/null ||
			{ echo "$1 over $how: status $?"; cat "said.$how"; return 1; }
		after=$(next_id)
		used "$how" "$before" "$after" || return
	done
	nothing_left
}

# Of what a program made and removed.
nothing_left()
{
	if [ "$(cat /proc/sysvipc/msg /proc/sysvipc/shm | wc -l)" -ne 2 ]; then
		cat /proc/sysvipc/msg /proc/sysvipc/shm
		return 1
	fi
	! mailbox ls --names | grep -E '^(sysv|mq)\.'
}

stress()
{
	twice stress-ng --temp-path /tmp --verify --timeout 120 "$@" || return
	# It says so where it gives a stressor up, and ends well all the same.
	! grep -iE 'skipped|not implemented|unsuccessful|fail' said.kernel said.mailboxes
}

stress_ng_posix_queues()
{
	stress --mq 1 --mq-ops 3000
}

stress_ng_many_posix_queues()
{
	stress --mq 3 --mq-ops 1500 --mq-size 5
}

stress_ng_sysv_queues()
{
	stress --msg 1 --msg-ops 3000
}

stress_ng_sysv_queues_by_type()
{
	stress --msg 2 --msg-ops 2000 --msg-types 5
}

stress_ng_sysv_memory()
{
	stress --shm-sysv 1 --shm-sysv-ops 4 --shm-sysv-bytes 1M --shm-sysv-segs 4
}

python()
{
	twice python3 -I "/tmp/$1" || return
	cmp said.kernel said.mailboxes && [ -s said.kernel ]
}

python_queue()
{
	python queue.py
}

python_memory()
{
	python memory.py
}

python_producer_and_consumers()
{
	python jobs.py
}

# Made by one process of the shell, found by another, and removed by a third.
ipcmk_and_ipcrm()
{
	local how id

	for how in kernel mailboxes; do
		for kind in Q:q 'M 10000:m'; do
			# shellcheck disable=SC2086
			over "$how" ipcmk -${kind%:*} -p 0640 >"said.$how" 2>&1 || { cat "said.$how"; return 1; }
			id=$(sed -n 's/.* id: \([0-9]*\)$/\1/p' "said.$how")
			[ "$id" ] || { cat "said.$how"; return 1; }
			if [ "$how" = mailboxes ]; then
				mailbox ls | grep -q "^ *$id .* 0640 .*  sysv\." || { mailbox ls; return 1; }
			fi
			over "$how" ipcrm "-${kind#*:}" "$id" >"said.$how" 2>&1 ||
				{ cat "said.$how"; return 1; }
		done
	done
	nothing_left
}

# As the kernel names what it cannot find.
ipcrm_of_none()
{
	local how

	for how in kernel mailboxes; do
		! over "$how" ipcrm -q 2147483000 >"said.$how" 2>&1 || return
	done
	cmp said.kernel said.mailboxes && grep -q 'invalid id' said.kernel
}

cases="
	stress_ng_posix_queues
	stress_ng_many_posix_queues
	stress_ng_sysv_queues
	stress_ng_sysv_queues_by_type
	stress_ng_sysv_memory
	python_queue
	python_memory
	python_producer_and_consumers
	ipcmk_and_ipcrm
	ipcrm_of_none"

if ! prepare >said 2>&1; then
	sed 's/^/# /' said
	exit 1
fi

number=0 failed=0
for name in $cases; do
	number=$((number + 1))
	if $name >output 2>&1; then
		echo "ok $number compat_programs.$name"
	else
		sed 's/^/# /' output
		echo "not ok $number compat_programs.$name"
		failed=1
	fi
done
echo "1..$number"
exit $failed
