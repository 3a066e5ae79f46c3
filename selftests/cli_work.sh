#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox' and leases: every option of 'mailbox work', what becomes of a job
# whose command or worker fails or is killed, and what 'create' and 'stat' say of leases.
#
# What single quotes hold is for inner shells to expand.
# shellcheck disable=SC2016

# Seconds, more of them where the machine is slow.
seconds()
{
	echo "$(($1 * ${MAILBOX_SLOW:-1}))s"
}

# Waits until something is true, such as that a file is there.
until_true()
{
	local tries=0

	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		if [ $tries -gt 20000 ]; then
			echo "# never: $*"
			return 1
		fi
	done
}

# Tests whether a process is gone, or dead and only not yet reaped.
is_gone()
{
	! [ -e "/proc/$1/stat" ] || [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = Z ]
}

figures_are()
{
	local box="$1" pair

	shift
	for pair; do
		[ "$(figure "$box" "${pair%=*}")" = "${pair#*=}" ] && continue
		echo "# $box: ${pair%=*} is $(figure "$box" "${pair%=*}"), not ${pair#*=}"
		return 1
	done
}

test_work_gives_each_message_to_a_command()
{
	mailbox create jobs >out && mailbox send jobs one two "" || return
	expect 0 mailbox work --all jobs -- sh -c 'echo "<$(cat)>"' || return
	prints "<one>$newline<two>$newline<>$newline" || return
	figures_are jobs messages=0 received=3 redelivered=0 || return
	expect 0 mailbox work --all jobs -- false && prints ''
}

test_work_says_what_is_known_about_a_message()
{
	mailbox create jobs >out
	sh -c 'echo $$ >pid; exec mailbox send --type 18446744073709551615 -p 3 jobs x'
	expect 1 mailbox work --all jobs -- sh -c \
		'env | grep -E "^MAILBOX_(SEQ|TYPE|PRI|DEL|PID|UID)" | sort >env$MAILBOX_DELIVERIES
		exit $((MAILBOX_DELIVERIES < 1))' || return
	for delivery in 0 1; do
		printf 'MAILBOX_%s\n' DELIVERIES=$delivery "PID=$(cat pid)" PRIORITY=3 SEQUENCE=1 \
			TYPE=18446744073709551615 "UID=$(id -u)" | cmp - env$delivery || return
	done
}

test_work_keeps_bytes_as_they_are()
{
	mailbox create jobs >out
	head -c 300000 /dev/urandom >random
	mailbox send jobs <random || return
	expect 0 mailbox work --all jobs -- cat || return
	cmp random out
}

test_work_gives_back_what_failed()
{
	mailbox create jobs >out && mailbox send jobs bad good || return
	expect 1 mailbox work --count 1 jobs -- sh -c 'exit 3' || return
	says "message 1 of mailbox 'jobs' goes back: 'sh' ended with status 3" || return
	expect 1 mailbox work --count 1 jobs -- sh -c 'kill -TERM $$' || return
	says "was ended by signal 15" || return
	figures_are jobs messages=2 leased=0 redelivered=2 received=0 || return
	expect 0 mailbox receive jobs && prints bad
}

test_work_hands_files_over()
{
	mailbox create jobs >out && echo first >first && echo second >second || return
	exec 5<first 6<second 7>third
	mailbox send --fd 5 --fd=6 --fd=7 jobs look || return
	exec 5<&- 6<&- 7>&-
	rm first second
	# Also to the next one, when it has failed.
	expect 1 mailbox work --count 1 jobs -- false || return
	expect 0 mailbox work --count 1 jobs -- \
		sh -c 'cat; cat <&3; cat <&4; echo $MAILBOX_FILES >&5; ls /proc/self/fd >&5' ||
		return
	prints "lookfirst${newline}second$newline" || return
	# Nothing but these and the three that all have; and that of ls itself.
	[ "$(tr '\n' ' ' <third)" = "3 0 1 2 3 4 5 6 " ] || return
	mailbox send jobs none || return
	expect 0 mailbox work --count 1 jobs -- sh -c 'echo $MAILBOX_FILES; ls /proc/self/fd' ||
		return
	prints "0${newline}0${newline}1${newline}2${newline}3$newline"
}

test_send_of_descriptors_that_do_not_travel()
{
	mailbox create jobs >out || return
	expect 2 mailbox send --fd 8 jobs x || return
	contains "descriptor 8 is not open" err || return
	expect 1 mailbox send --fd 3 jobs x 3</dev/mailbox || return
	says "do not travel in messages" || return
	figures_are jobs messages=0
}

test_work_hides_for_a_delay_what_failed()
{
	mailbox create jobs >out && mailbox send jobs x || return
	expect 1 mailbox work --all --delay 1h jobs -- false || return
	expect 5 mailbox receive -n jobs || return
	figures_are jobs messages=1 leased=1 redelivered=1 || return
	mailbox create later >out && mailbox send later x || return
	expect 1 mailbox work --count 2 --delay 20ms later -- sh -c 'exit $((!MAILBOX_DELIVERIES))' ||
		return
	figures_are later messages=0 received=1
}

test_work_at_several_at_once()
{
	mailbox create jobs >out && mailbox send jobs 1 2 3 || return
	mkfifo go && exec 3<>go
	# None of the first two ends before both are there.
	mailbox work -j 2 --all jobs -- sh -c 'n=$(cat); echo >at$n; [ $n = 3 ] || read -r _ <go' &
	worker=$!
	until_true test -e at1 -a -e at2 && until_figure jobs leased 2 || return
	[ ! -e at3 ] || return
	echo >&3 && echo >&3
	wait "$worker" || return
	exec 3>&-
	[ -e at3 ] && figures_are jobs received=3 messages=0
}

test_work_for_a_selection()
{
	mailbox create jobs >out && mailbox send --type 1 jobs one && mailbox send --type 2 jobs two ||
		return
	expect 0 mailbox work --all --type 2 jobs -- cat && prints two || return
	# Others than those asked for do not keep it from waiting for its own.
	mailbox work --count 1 -t 2 jobs -- cat >got &
	until_figure jobs handles 1 || return
	mailbox send --type 3 jobs three && mailbox send --type 2 jobs again && wait $! || return
	[ "$(cat got)" = again ] && figures_are jobs messages=2 || return
	sh -c 'echo $$ >pid; exec mailbox send jobs last'
	expect 1 mailbox work --from "$(cat pid)" jobs -- cat || return
	prints last && says "the process is gone"
}

test_work_waits_and_ends_when_idle()
{
	mailbox create jobs >out
	expect 0 mailbox work --idle 20ms jobs -- false || return
	mailbox work --idle "$(seconds 2)" jobs -- cat >got &
	until_figure jobs handles 1 || return
	mailbox send jobs "a late one" && wait $! && [ "$(cat got)" = "a late one" ]
}

test_work_at_a_rendezvous()
{
	mailbox create --capacity rendezvous jobs >out
	mailbox work --count 2 jobs -- sh -c 'cat; exit $((!MAILBOX_DELIVERIES))' >got 2>err &
	until_figure jobs handles 1 || return
	expect 0 mailbox send jobs met || return
	wait $!
	[ $? -eq 1 ] && [ "$(cat got)" = metmet ] && figures_are jobs received=1 messages=0
}

test_work_whose_command_reads_nothing()
{
	mailbox create jobs >out
	head -c 1000000 /dev/zero | mailbox send jobs && mailbox send jobs x || return
	expect 0 mailbox work --all jobs -- true && figures_are jobs received=2
}

test_work_with_no_such_command()
{
	mailbox create jobs >out && mailbox send jobs x || return
	expect 127 mailbox work jobs -- /no/such/command || return
	says "cannot run '/no/such/command': No such file or directory" || return
	: >plain
	expect 126 mailbox work jobs -- ./plain && says "cannot run './plain'" || return
	expect 0 mailbox receive jobs && prints x
}

test_work_keeps_its_handle_to_itself()
{
	mailbox create jobs >out && mailbox send jobs x || return
	expect 0 mailbox work --all jobs -- sh -c 'ls -l /proc/self/fd' || return
	! grep -E 'mailbox|pidfd|signalfd|eventpoll' out
}

# A worker, with these options, that holds a job until a line comes through the pipe 'go'.
# Its process is $worker, that of the command is in the file 'pid'.
start_to_hold()
{
	mkfifo go
	mailbox work "$@" jobs -- sh -c 'echo $$ >pid.new; mv pid.new pid; read -r _ <go' 2>hold.err &
	worker=$!
	until_true test -e pid && until_figure jobs leased 1
}

test_killed_worker_loses_nothing()
{
	mailbox create jobs >out && mailbox send jobs x y && start_to_hold || return
	kill -KILL "$worker"
	wait "$worker"
	# The command must not go on with what somebody else may have.
	until_figure jobs leased 0 && until_true is_gone "$(cat pid)" || return
	figures_are jobs messages=2 redelivered=1 || return
	expect 0 mailbox work --all jobs -- cat && prints xy
}

test_killed_command_loses_nothing()
{
	mailbox create jobs >out && mailbox send jobs x && start_to_hold --count 1 || return
	kill -KILL "$(cat pid)"
	wait "$worker"
	[ $? -eq 1 ] && figures_are jobs messages=1 leased=0 redelivered=1
}

test_sigterm_lets_commands_end()
{
	mailbox create jobs >out && mailbox send jobs x y && start_to_hold || return
	kill -TERM "$worker"
	until_true grep -q "commands that still run: 1" hold.err || return
	echo >go
	wait "$worker" || return
	figures_are jobs messages=1 received=1 leased=0 || return
	# One that does nothing ends at once.
	mailbox create empty >out
	mailbox work empty -- true &
	until_figure empty handles 1 || return
	until_true grep -q '^SigBlk:.*4...$' /proc/$!/status || return
	kill -TERM $! && wait $!
}

test_second_signal_ends_at_once()
{
	mailbox create jobs >out && mailbox send jobs x && start_to_hold || return
	kill -TERM "$worker"
	until_true grep -q "commands that still run" hold.err || return
	kill -TERM "$worker"
	wait "$worker"
	[ $? -eq 143 ] || return
	until_true is_gone "$(cat pid)" || return
	figures_are jobs messages=1 leased=0 redelivered=1
}

test_lease_with_a_limit_goes_on_while_the_command_runs()
{
	mailbox create jobs >out && mailbox send jobs x || return
	start_to_hold --count 1 --lease "$(seconds 2)" || return
	# Longer than the lease.
	expect 6 mailbox receive --timeout "$(seconds 3)" jobs || return
	figures_are jobs leased=1 redelivered=0 || return
	echo >go
	wait "$worker" && figures_are jobs received=1
}

test_lease_of_a_stopped_worker_ends()
{
	mailbox create jobs >out && mailbox send jobs x || return
	start_to_hold --count 1 --lease "$(seconds 1)" || return
	kill -STOP "$worker"
	expect 0 mailbox receive --timeout 60s jobs && prints x || return
	kill -CONT "$worker"
	until_true grep -q "others may have it too; a longer --lease helps" hold.err || return
	echo >go
	wait "$worker"
	[ $? -eq 1 ] && grep -q "was done after its lease had ended" hold.err &&
		figures_are jobs received=1 redelivered=1 messages=0
}

test_expiry_ends_a_lease()
{
	mailbox create jobs >out && mailbox send --expire "$(seconds 2)" jobs x || return
	start_to_hold --count 1 || return
	until_figure jobs expired 1 || return
	echo >go
	wait "$worker"
	[ $? -eq 1 ] && grep -q "was done after its lease had ended" hold.err &&
		figures_are jobs messages=0 leased=0 received=0 redelivered=0
}

test_destruction_tells_workers()
{
	mailbox create jobs >out
	mailbox work jobs -- true 2>err &
	until_figure jobs handles 1 && mailbox rm jobs || return
	wait $!
	[ $? -eq 7 ] && says "was destroyed" || return
	mailbox create jobs >out && mailbox send jobs x && start_to_hold || return
	mailbox rm jobs && echo >go
	wait "$worker"
	[ $? -eq 7 ] && grep -q "was destroyed" hold.err
}

test_dead_letters()
{
	id=$(mailbox create dead)
	mailbox create --max-deliveries 2 --dead-letter dead jobs >out || return
	mailbox create --max-deliveries 65535 --dead-letter "id:$id" many >out || return
	mailbox send --type 7 jobs bad
	expect 1 mailbox work --all jobs -- false || return
	figures_are jobs messages=0 redelivered=2 dead=1 dropped=0 max_deliveries=2 dead_letter="$id" ||
		return
	expect 0 mailbox receive --json dead || return
	contains '"payload":"bad"' && contains '"type":7,' && contains '"deliveries":0,' || return
	mailbox create --max-deliveries 1 none >out && mailbox send none bad || return
	expect 1 mailbox work --all none -- false && figures_are none dead=0 dropped=1
}

test_stat_shows_leases()
{
	id=$(mailbox create dead)
	mailbox create --max-deliveries 2 --dead-letter dead jobs >out
	expect 0 mailbox stat jobs || return
	for line in "max deliveries   2" "dead letters to  $id, dead" "leased           0" \
		"redelivered      0" "dead             0" "dropped          0"; do
		contains "$line" || return
	done
	expect 0 mailbox stat dead || return
	contains "max deliveries   (no limit)" && contains "dead letters to  (none)" || return
	mailbox rm dead
	expect 0 mailbox stat jobs && grep -qx "dead letters to  $id" out || return
	mailbox send jobs x && expect 0 mailbox peek --json jobs && contains '"deliveries":0,'
}

test_dead_letter_that_cannot_be()
{
	expect 3 mailbox create --max-deliveries 1 --dead-letter nowhere jobs || return
	says "no mailbox 'nowhere'; 'mailbox ls' shows those you may see" || return
	expect 3 mailbox stat jobs || return
	grep -q '^other:' /etc/passwd || echo 'other:x:4711:4711::/:/bin/sh' >>/etc/passwd
	mailbox create --mode 644 dead >out
	expect 4 su other -c "mailbox create --max-deliveries 1 --dead-letter dead jobs" || return
	says "you may not send to mailbox 'dead'"
}

test_what_is_wrong_is_said()
{
	local line

	mailbox create jobs >out
	while IFS='|' read -r line sentence; do
		# shellcheck disable=SC2086 # words are meant
		expect 2 mailbox $line || return
		contains "$sentence" err && contains "Try 'mailbox ${line%% *} --help'." err || return
	done <<-END
		work --jobs=0 jobs -- true|--jobs takes a number from 1 to 1024
		work -j 1025 jobs -- true|--jobs takes a number from 1 to 1024
		work --lease=0 jobs -- true|--lease takes a time such as 30s or 5m, not 0
		work --lease=x jobs -- true|--lease takes a time such as 30s or 5m, not 0
		work --delay=x jobs -- true|--delay takes a time such as 500ms, 2s or 1m
		work --idle=x jobs -- true|--idle takes a time such as 500ms, 2s or 1m
		work --count=0 jobs -- true|--count takes a number from 1 on
		work --type=x jobs -- true|--type takes a number
		work -t 1 --from=2 jobs -- true|one way to choose a message, not two
		work --all --idle=1s jobs -- true|--all or --idle, not both
		work -- true|one MAILBOX; the COMMAND stands behind --
		work jobs true|one MAILBOX; the COMMAND stands behind --
		work jobs|give the COMMAND behind --
		work jobs --|give the COMMAND behind --
		work id:0 -- true|'id:0' is not an id
		create --max-deliveries=0 a|--max-deliveries takes a number from 1 to 65535
		create --max-deliveries=65536 a|--max-deliveries takes a number from 1 to 65535
		create --dead-letter=jobs a|--dead-letter goes with --max-deliveries only
		create --max-deliveries=1 --dead-letter=id:x a|'id:x' is not an id
	END
	expect 3 mailbox work nowhere -- true && says "no mailbox 'nowhere'" || return
	expect 2 mailbox work --nosuch jobs -- true
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
