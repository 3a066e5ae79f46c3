#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox' and calls: 'mailbox call', 'mailbox serve', and how each end of a
# call is told.
#
# What single quotes hold is for inner shells to expand.
# shellcheck disable=SC2016

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

# Until there is one that may receive: without, a call fails at once.
until_served()
{
	until_figure calls handles 1
}

test_call_is_answered()
{
	mailbox create calls >out
	mailbox serve --count 2 calls -- tr a-z A-Z &
	until_served || return
	expect 0 mailbox call calls "what" && prints WHAT || return
	printf 'from input' >text
	mailbox call calls <text >answer && wait $! && [ "$(cat answer)" = 'FROM INPUT' ]
}

test_call_keeps_bytes_as_they_are()
{
	mailbox create calls >out
	head -c 300000 /dev/urandom >random
	mailbox serve --count 1 calls -- cat &
	until_served || return
	mailbox call calls <random >answer && wait $! && cmp random answer
}

test_call_says_who_answered()
{
	mailbox create calls >out
	mailbox serve --count 1 calls -- sh -c 'printf %s "$MAILBOX_TYPE $MAILBOX_PRIORITY"' &
	server=$!
	until_served || return
	expect 0 mailbox call --json -t 7 -p 3 calls x || return
	wait $server
	contains '"payload":"7 3"' out && contains "\"pid\":$server," out &&
		contains '"sequence":1,' out
}

test_call_that_fails_at_the_command()
{
	mailbox create calls >out
	mailbox serve --count 1 calls -- sh -c 'echo half; exit 3' 2>said.serve &
	server=$!
	until_served || return
	expect 15 mailbox call calls x && says 'did not answer it' || return
	[ ! -s out ] || return
	wait $server
	[ $? -eq 1 ] && contains "is not answered: 'sh' ended with status 3" said.serve
}

test_call_that_is_only_received()
{
	mailbox create calls >out
	mailbox receive calls >got &
	until_served || return
	expect 15 mailbox call calls x && says 'did not answer it' || return
	wait $! && [ "$(cat got)" = x ]
}

test_call_whose_server_is_killed()
{
	mailbox create calls >out
	mailbox serve calls -- sh -c 'echo >at; exec sleep 1000' 2>said.serve &
	server=$!
	until_served || return
	mailbox call calls x 2>said.call &
	caller=$!
	until_true test -e at || return
	kill -KILL $server
	wait $caller
	[ $? -eq 15 ] || return
	expect 5 mailbox receive -n calls
}

test_call_of_whom_nobody_serves()
{
	mailbox create calls >out
	expect 15 mailbox call calls x && says "'mailbox serve' does"
}

test_call_times_out()
{
	mailbox create calls >out
	mkfifo go && exec 3<>go
	mailbox serve --count 1 calls -- sh -c 'read -r _ <go; echo late' 2>said.serve &
	server=$!
	until_served || return
	expect 6 mailbox call --timeout 200ms calls x && says 'there is no answer' || return
	echo >&3
	wait $server
	[ $? -eq 1 ] || return
	exec 3>&-
	contains 'was done after its caller had given up' said.serve || return
	expect 5 mailbox receive -n calls
}

test_call_of_what_is_destroyed()
{
	mailbox create calls >out
	mailbox serve calls -- sh -c 'echo >at; mailbox rm calls' 2>said.serve &
	server=$!
	until_served || return
	expect 7 mailbox call calls x || return
	wait $server
	[ $? -eq 7 ]
}

test_serve_takes_other_messages_too()
{
	mailbox create calls >out && mailbox send calls one two || return
	expect 0 mailbox serve --all calls -- sh -c 'cat >>got; echo nobody reads that' || return
	prints '' && [ "$(cat got)" = onetwo ]
}

# A caller that has no quota left for its answer has none; others are served.
test_serve_caller_without_quota()
{
	local bytes=/sys/module/mailbox/parameters/max_bytes_per_user ret

	[ "$(id -u)" = 0 ] || return
	grep -q '^other:' /etc/passwd || echo 'other:x:4711:4711::/:/bin/sh' >>/etc/passwd
	chmod 777 "$work"
	mailbox create --mode 622 calls >out
	mailbox serve --count 2 calls -- head -c 300000 /dev/zero 2>said.serve &
	server=$!
	until_served || return
	cat $bytes >before && echo 100000 >$bytes
	expect 15 su other -c "mailbox call calls x"
	ret=$?
	cat before >$bytes
	[ $ret -eq 0 ] && says 'did not answer it' || return
	expect 0 su other -c "mailbox call calls x" && [ "$(wc -c <out)" -eq 300000 ] || return
	wait $server
	[ $? -eq 1 ] && contains 'quota of its caller is used up' said.serve
}

test_serve_several_at_once()
{
	mailbox create calls >out
	mkfifo go && exec 3<>go
	mailbox serve -j 2 --count 2 calls -- sh -c 'n=$(cat); echo >at$n; read -r _ <go; echo $n' &
	server=$!
	until_served || return
	mailbox call calls 1 >one &
	first=$!
	mailbox call calls 2 >two &
	second=$!
	until_true test -e at1 -a -e at2 || return
	echo >&3 && echo >&3
	wait $first && wait $second && wait $server || return
	exec 3>&-
	[ "$(cat one)" = 1 ] && [ "$(cat two)" = 2 ]
}

test_call_wrong_use()
{
	mailbox create calls >out
	while IFS='|' read -r line said; do
		# shellcheck disable=SC2086
		expect 2 mailbox $line </dev/null && contains "$said" err || return
	done <<-END
		call|one MAILBOX, and at most one REQUEST
		call calls a b|one MAILBOX, and at most one REQUEST
		call -t x calls|--type takes a number
		call -p 32768 calls|--priority takes a number from 0 to 32767
		call --timeout=x calls|--timeout takes a time
		serve calls|give the COMMAND behind --
		serve -- true|one MAILBOX; the COMMAND stands behind --
		serve -j 0 calls -- true|--jobs takes a number from 1 to 1024
	END
	expect 2 mailbox serve --lease=1s calls -- true || return
	expect 3 mailbox call nowhere x && says "no mailbox 'nowhere'"
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
