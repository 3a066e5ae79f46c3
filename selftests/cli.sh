#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox': every sub-command, its exit codes, its sentences about errors,
# and that bytes come out as they went in. Needs 'mailbox' in PATH and the module.
# Each test is a function named test_*; it fails when it returns anything but 0.

if [ ! -c /dev/mailbox ] || ! command -v mailbox >/dev/null; then
	echo "1..0 # SKIP needs the module and the command 'mailbox'"
	exit 4
fi

self=$(readlink -f "$0")
newline='
'
work=$(mktemp -d) || exit 1
cd "$work" || exit 1
trap 'cd /; rm -rf "$work"' EXIT

# Runs a command; its output goes to the files out and err. 1 when the exit code differs.
expect()
{
	local want="$1" got

	shift
	"$@" >out 2>err
	got=$?
	if [ $got -ne "$want" ]; then
		echo "# '$*' ended with $got, not $want"
		sed 's/^/#   /' out err
		return 1
	fi
}

# What the last command said on standard error, in one line, has this in it.
says()
{
	if [ "$(wc -l <err)" -ne 1 ] || ! grep -qF -- "$1" err; then
		echo "# not one line with '$1':"
		sed 's/^/#   /' err
		return 1
	fi
}

# What the last command printed is this text, to the byte.
prints()
{
	printf '%s' "$1" | cmp -s - out && return
	echo "# printed, where '$1' was expected:"
	sed 's/^/#   /' out
	return 1
}

contains()
{
	grep -qF -- "$1" "${2:-out}" && return
	echo "# no '$1' in:"
	sed 's/^/#   /' "${2:-out}"
	return 1
}

# A figure of a mailbox, from its JSON.
figure()
{
	mailbox stat --json "$1" | sed -n "s/.*[{,]\"$2\":\([^,}]*\).*/\1/p"
}

# Waits until a figure of a mailbox has a value.
until_figure()
{
	local tries=0

	while [ "$(figure "$1" "$2")" != "$3" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 2000 ]; then
			echo "# $2 of $1 never became $3"
			return 1
		fi
	done
}

test_send_and_receive()
{
	expect 0 mailbox create jobs && grep -qx '[0-9]*' out || return
	expect 0 mailbox send jobs hello && prints '' || return
	expect 0 mailbox receive jobs && prints hello
}

test_several_arguments_in_order()
{
	mailbox create jobs >out
	expect 0 mailbox send jobs one "" three || return
	expect 0 mailbox receive --all --lines jobs || return
	prints "one$newline${newline}three$newline"
}

test_bytes_stay_what_they_are()
{
	mailbox create jobs >out
	head -c 300000 /dev/urandom >random
	mailbox send jobs <random || return
	mailbox receive jobs >got || return
	cmp random got || return
	mailbox send jobs --file random --file /dev/null || return
	mailbox receive jobs >got && cmp random got || return
	expect 0 mailbox receive --nonblock jobs && prints ''
}

test_lines_and_nulls()
{
	mailbox create jobs >out
	printf 'a\n\nlast without newline' >lines
	mailbox send --lines jobs <lines || return
	[ "$(figure jobs messages)" = 3 ] || return
	printf 'a\n\nlast without newline\n' >want
	mailbox receive --all --lines jobs >got && cmp want got || return
	printf 'x\ny\0z\0' | mailbox send -0 jobs || return
	[ "$(figure jobs messages)" = 2 ] || return
	printf 'x\ny\0z\0' >want
	mailbox receive --all -0 jobs >got && cmp want got
}

test_selection()
{
	mailbox create jobs >out
	mailbox send jobs --type 5 five && mailbox send jobs --type 3 three &&
		mailbox send jobs --type 9 -p 7 nine && mailbox send jobs zero || return
	expect 0 mailbox peek --type 3 jobs && prints three || return
	expect 0 mailbox peek --type-not 9 jobs && prints five || return
	expect 0 mailbox peek --min-priority 7 jobs && prints nine || return
	expect 5 mailbox peek --min-priority 8 jobs || return
	expect 0 mailbox peek --index 3 jobs && prints zero || return
	expect 5 mailbox peek --index 4 jobs || return
	expect 0 mailbox receive --type-up-to 3 jobs && prints zero || return
	expect 0 mailbox receive --type-up-to 4 jobs && prints three || return
	expect 5 mailbox receive --type-up-to 4 -n jobs || return
	expect 0 mailbox receive jobs && prints nine || return
	expect 0 mailbox receive --type 5 jobs && prints five
}

test_selection_by_sender()
{
	mailbox create jobs >out
	mailbox send jobs first || return
	sh -c 'echo $$ >pid; exec mailbox send jobs second'
	expect 0 mailbox receive --from "$(cat pid)" jobs && prints second || return
	expect 1 mailbox receive --from "$(cat pid)" jobs && says "the process is gone"
}

test_peek_leaves_and_truncates()
{
	mailbox create jobs >out
	mailbox send jobs hello world || return
	expect 0 mailbox peek jobs && prints hello || return
	expect 0 mailbox peek --all jobs && prints helloworld || return
	expect 0 mailbox peek --truncate 2 jobs && prints he || return
	[ "$(figure jobs messages)" = 2 ] || return
	expect 0 mailbox receive --truncate 0 jobs && prints '' || return
	expect 0 mailbox receive --count 1 jobs && prints world || return
	expect 5 mailbox peek jobs && says "no such message now"
}

test_json_message()
{
	mailbox create jobs >out
	expect 0 mailbox send --json --type 7 -p 2 jobs 'say "hi"' || return
	contains '{"sequence":1}' || return
	expect 0 mailbox peek --json jobs || return
	contains '"type":7,' && contains '"priority":2,' && contains '"length":8,' &&
		contains '"payload_encoding":"utf-8","payload":"say \"hi\""}' &&
		contains "\"uid\":$(id -u)," && contains '"truncated":false' || return
	expect 0 mailbox receive --json --truncate 3 jobs || return
	contains '"truncated":true' && contains '"payload":"say"' || return
	printf '\377\000' | mailbox send jobs --type 18446744073709551615 || return
	expect 0 mailbox receive --json jobs || return
	contains '"payload_encoding":"base64","payload":"/wA="' &&
		contains '"type":"18446744073709551615"'
}

test_no_such_mailbox()
{
	expect 3 mailbox send nowhere x || return
	says "no mailbox 'nowhere'; 'mailbox ls' shows those you may see" || return
	expect 3 mailbox receive nowhere || return
	expect 3 mailbox stat nowhere || return
	expect 3 mailbox set --mode 600 nowhere || return
	expect 3 mailbox watch nowhere || return
	expect 3 mailbox rm nowhere || return
	expect 3 mailbox peek id:999999999 && says "no mailbox 999999999, ids are not used twice" ||
		return
	expect 0 mailbox rm --force nowhere
}

test_ids_and_names_that_look_like_ids()
{
	id=$(mailbox create jobs)
	mailbox create 17 >out || return
	expect 0 mailbox send "$id" "by number" || return
	expect 0 mailbox send "id:$id" "by id" || return
	expect 0 mailbox send name:17 "to the other" || return
	expect 0 mailbox receive --all --lines name:jobs || return
	prints "by number${newline}by id${newline}" || return
	expect 0 mailbox receive name:17 && prints "to the other"
}

test_usage_errors()
{
	local line

	for line in "" "frobnicate" "send" "send --priority=40000 jobs x" "send --type=-1 jobs x" \
		"send --timeout=5x jobs x" "receive --all --follow jobs" "receive --type=1 --from=2 jobs" \
		"receive" "receive a b" "receive --index=1 jobs" "create a b" "create --mode=888 a" \
		"create --temporary a" "create --share=101 a" "create a -- true" "set jobs" \
		"set --max-bytes=0 jobs" "ls jobs" "info x" "stat" "rm" "watch" "help frobnicate" \
		"send --nosuch jobs x" "stat id:x" "stat id:0"; do
		# shellcheck disable=SC2086 # words are meant
		expect 2 mailbox $line || return
		if [ ! -s err ] || [ -s out ]; then
			echo "# '$line': on the wrong stream"
			return 1
		fi
	done
}

test_help()
{
	local command

	expect 0 mailbox help && contains "Exit codes:" || return
	expect 0 mailbox --version || return
	for command in create send receive work peek watch ls stat set rm info; do
		expect 0 mailbox help || return
		contains "  $command " || return
		expect 0 mailbox $command --help && contains "Usage: mailbox $command" || return
		cp out help
		expect 0 mailbox help $command && cmp help out || return
	done
}

test_full_and_empty()
{
	mailbox create --max-messages 1 jobs >out
	mailbox send jobs x || return
	expect 5 mailbox send -n jobs y && says "has no room" || return
	expect 6 mailbox send --timeout 20ms jobs y && says "a longer --timeout" || return
	mailbox receive jobs >out || return
	expect 5 mailbox receive --nonblock jobs && says "no such message now" || return
	expect 6 mailbox receive --timeout 20ms jobs && says "a longer --timeout" || return
	expect 0 mailbox receive --all jobs && prints '' || return
	mailbox create --on-full refuse --max-messages 1 refuses >out && mailbox send refuses x
	expect 5 mailbox send refuses y || return
	mailbox create --on-full overwrite --max-messages 1 over >out && mailbox send over x y z
	expect 0 mailbox receive over && prints z || return
	[ "$(figure over overwritten)" = 2 ] || return
	# What was done before the failure is said.
	expect 5 mailbox send -n jobs a b && contains "messages sent before that: 1" err
}

test_expiry()
{
	mailbox create jobs >out
	mailbox send --expire 1h jobs stays && mailbox send --expire 1s jobs goes || return
	until_figure jobs expired 1 || return
	expect 6 mailbox send --expire 0s jobs late && says "a longer --expire" || return
	expect 6 mailbox send --receipt --expire 0s jobs late && says "a longer --expire" || return
	expect 0 mailbox receive --all jobs && prints stays
}

test_size_of_messages()
{
	mailbox create --message-size 4 jobs >out
	expect 9 mailbox send jobs hello && says "does not take a message of that size" || return
	expect 0 mailbox set --message-size 5 jobs || return
	expect 0 mailbox send jobs hello || return
	mailbox create --fixed-size --message-size 2 fixed >out
	expect 9 mailbox send fixed x || return
	expect 0 mailbox send fixed xx || return
	head -c 16777217 /dev/zero >large
	expect 9 mailbox send jobs --file large && says "longer than 16 MiB"
}

test_exists_already()
{
	id=$(mailbox create jobs)
	expect 8 mailbox create jobs && says "exists already" || return
	expect 0 mailbox create --exist-ok jobs && prints "$id$newline"
}

test_rendezvous()
{
	mailbox create --capacity rendezvous jobs >out
	expect 5 mailbox send -n jobs x || return
	mailbox receive jobs >got &
	until_figure jobs receivers 1 || return
	expect 0 mailbox send -n jobs met || return
	wait $! && [ "$(cat got)" = met ]
}

test_receive_waits_and_destruction_tells()
{
	mailbox create jobs >out
	mailbox receive jobs >got 2>err &
	until_figure jobs receivers 1 || return
	expect 0 mailbox rm jobs || return
	wait $!
	[ $? -eq 7 ]
}

test_follow_passes_messages_on_as_they_come()
{
	mailbox create jobs >out
	mkfifo pipe
	mailbox receive --follow --lines jobs >pipe 2>follow.err &
	exec 3<pipe
	mailbox send jobs one && read -r line <&3 && [ "$line" = one ] || return
	mailbox send jobs two && read -r line <&3 && [ "$line" = two ] || return
	mailbox rm jobs
	exec 3<&-
	wait $!
	[ $? -eq 7 ]
}

test_output_that_fails_is_reported()
{
	mailbox create jobs >out
	mailbox send jobs keep
	mailbox peek jobs >/dev/full 2>err
	[ $? -eq 1 ] && [ "$(figure jobs messages)" = 1 ] || return
	mailbox receive jobs >/dev/full 2>err
	[ $? -eq 12 ] && says "it is lost" || return
	mailbox send --json jobs x >/dev/full 2>err
	[ $? -eq 1 ] || return
	mailbox ls >/dev/full 2>err
	[ $? -eq 1 ] && says "cannot write the output"
}

test_nothing_is_taken_for_a_reader_that_is_gone()
{
	mailbox create jobs >out
	mailbox send jobs keep || return
	mkfifo pipe go
	# The reader has opened and closed the pipe before the message is asked for.
	{ exec 4>pipe; read -r _ <go; mailbox receive jobs >&4 2>err; echo $? >code; } &
	exec 3<pipe
	exec 3<&-
	echo >go
	wait $!
	[ "$(cat code)" = 1 ] && says "keeps its messages" && [ "$(figure jobs messages)" = 1 ]
}

test_ls()
{
	id=$(mailbox create jobs)
	mailbox send jobs 12345 67890
	expect 0 mailbox ls && contains "CAPACITY" || return
	if ! grep -q "^ *$id  .* 2 *10  jobs\$" out; then
		cat out
		return 1
	fi
	expect 0 mailbox ls --no-header && ! grep -q CAPACITY out || return
	expect 0 mailbox ls --names && grep -qx jobs out || return
	expect 0 mailbox ls --json && contains "\"id\":$id," && contains '"name":"jobs"' &&
		grep -q '^\[.*\]$' out || return
	expect 0 mailbox ls --color=always && contains "$(printf '\033[1;36mjobs')"
}

test_names_cannot_harm_a_terminal()
{
	# A C1 control character in UTF-8, a byte that is no UTF-8, and a backslash.
	name=$(printf 'a\302\233b\377\134c')
	shown='a\xc2\x9bb\xff\\c'
	expect 0 mailbox create "$name" || return
	expect 0 mailbox ls --names && contains "$shown" || return
	expect 0 mailbox stat "$name" && contains "$shown" || return
	expect 0 mailbox stat --json "$name" && contains '"name_encoding":"base64"' || return
	expect 0 mailbox rm "$name" || return
	expect 3 mailbox rm "$name" && says "$shown"
}

test_stat()
{
	mailbox create --max-messages 5 --max-bytes 1K --mode 640 --share 30 jobs >out
	mailbox send jobs abc
	expect 0 mailbox stat jobs || return
	for line in "name             jobs" "mode             0640" "lifetime         permanent" \
		"max messages     5" "max bytes        1024" "share            30 %" \
		"messages         1" "bytes            3" "handles          0"; do
		contains "$line" || return
	done
	[ "$(figure jobs mode)" = '"0640"' ] && [ "$(figure jobs sent)" = 1 ]
}

test_set()
{
	mailbox create jobs >out
	expect 0 mailbox set --mode 622 --max-messages 3 --on-full refuse --share 40 jobs || return
	expect 0 mailbox set --owner 12 --group 34 jobs || return
	[ "$(figure jobs mode)" = '"0622"' ] && [ "$(figure jobs max_messages)" = 3 ] &&
		[ "$(figure jobs on_full)" = '"refuse"' ] && [ "$(figure jobs share)" = 40 ] &&
		[ "$(figure jobs uid)" = 12 ] && [ "$(figure jobs gid)" = 34 ] || return
	expect 0 mailbox set --temporary jobs || return
	expect 3 mailbox stat jobs
}

test_rm_several()
{
	mailbox create a >out && mailbox create b >out
	expect 3 mailbox rm a nowhere b && says nowhere || return
	expect 3 mailbox stat a && expect 3 mailbox stat b
}

test_temporary_lives_as_long_as_its_command()
{
	# shellcheck disable=SC2016 # the inner shell is to expand these
	expect 0 mailbox create --temporary jobs -- sh -c \
		'mailbox send jobs hi && mailbox receive id:$MAILBOX_ID' && prints hi || return
	expect 3 mailbox stat jobs || return
	expect 9 mailbox create --temporary -- sh -c 'exit 9' || return
	expect 127 mailbox create --temporary -- /no/such/command || return
	# shellcheck disable=SC2016
	expect 143 mailbox create --temporary -- sh -c 'kill -TERM $$' || return
	expect 0 mailbox create --temporary --fd 5 --rights sr -- sh -c \
		'printf through >&5; dd bs=100 count=1 <&5 2>/dev/null' && prints through
}

test_watch()
{
	mailbox create jobs >out
	mailbox send jobs old
	mailbox watch --count 3 jobs >watched 2>err &
	# It is there when it has the mailbox open.
	until_figure jobs handles 1 || return
	until grep -q PAYLOAD watched; do :; done
	mailbox send --type 4 jobs one "$(printf 'two\033[2J')" || return
	mailbox receive --all jobs >out || return
	mailbox send jobs three || return
	wait $! || { cat err; return 1; }
	! grep -q old watched || return
	# Each arrival is shown or counted, whatever the timing.
	awk '/ taken before / { sub(/^\(/, ""); all += $1; next } NR > 1 { all++ }
		END { exit all != 3 }' watched || { cat watched; return 1; }
	! grep -q "$(printf '\033')" watched || return
	expect 6 mailbox watch --timeout 10ms --backlog jobs && contains three
}

test_watch_counts_what_it_cannot_see()
{
	mailbox create --capacity rendezvous jobs >out
	mailbox watch --count 1 --json jobs >watched 2>err &
	until_figure jobs handles 1 || return
	mailbox receive jobs >out &
	until_figure jobs receivers 1 || return
	mailbox send jobs x || return
	wait
	grep -q '"taken":1' watched || grep -q '"payload":"x"' watched
}

test_info()
{
	expect 0 mailbox info && contains "interface of the module      1" || return
	expect 0 mailbox info --json && contains '"version":1,' && contains '"max_bytes":'
}

test_others_are_kept_out()
{
	[ "$(id -u)" = 0 ] || return
	grep -q '^other:' /etc/passwd || echo 'other:x:4711:4711::/:/bin/sh' >>/etc/passwd
	chmod 777 "$work"
	mailbox create --mode 622 jobs >out && mailbox send jobs secret || return
	expect 0 su other -c "mailbox send jobs 'from other'" || return
	expect 4 su other -c "mailbox receive jobs" && says "you may not open mailbox 'jobs'" || return
	expect 4 su other -c "mailbox rm jobs" && says "you may not remove mailbox 'jobs'" || return
	expect 0 su other -c "mailbox ls --names" && grep -qx jobs out || return
	mailbox set --mode 600 jobs || return
	expect 0 su other -c "mailbox ls --names" && ! grep -qx jobs out || return
	expect 4 su other -c "mailbox stat jobs" || return
	[ "$(mailbox receive --count 2 --json jobs | grep -c '"uid":4711')" = 1 ]
}

# Of these mutate.sh wants a few: MAILBOX_CASES is a regular expression.
tests=$(sed -nE "s/^(test_(${MAILBOX_CASES:-.*}))\(\)\$/\1/p" "$self")
number=0 failed=0
echo "TAP version 13"
for test in ${1:-$tests}; do
	number=$((number + 1))
	if $test; then
		echo "ok $number ${test#test_}"
	else
		failed=$((failed + 1))
		echo "not ok $number ${test#test_}"
	fi
	! command -v after_test >/dev/null || after_test
	# The next one begins with nothing, neither files nor mailboxes.
	rm -rf "${work:?}"/*
	for id in $(mailbox ls --no-header | awk '{ print $1 }'); do
		mailbox rm --force "id:$id"
	done
done
echo "1..$number"
[ $failed -eq 0 ] && [ $number -gt 0 ]
