#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Stubs and skeletons as rpcgen makes them: the example of tools/rpc counts what is in files,
# and wc does it too.

here=$(readlink -f "$(dirname "$0")")/stubs
work=/tmp/rpc_stubs.$$

if [ ! -c /dev/mailbox ] || [ ! -x "$here/count_server" ]; then
	echo "1..0 # SKIP needs the module, and the example as the virtual machine has it"
	exit 4
fi

mkdir "$work"
trap 'rm -rf "$work"' EXIT
number=0 failed=0
echo "TAP version 13"

# verdict NAME STATUS
verdict()
{
	number=$((number + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $number $1"
	else
		failed=$((failed + 1))
		sed 's/^/#   /' "$work"/printed* "$work"/said 2>/dev/null
		echo "not ok $number $1"
	fi
}

# Or has ended.
server_is_there()
{
	while ! mailbox stat count >/dev/null 2>&1; do
		kill -0 "$server" 2>/dev/null || return 1
	done
}

# What is text to everybody.
set -- /selftests/*.sh /selftests/examples/*.rst /etc/passwd

"$here/count_server" count 3 2>"$work/said" &
server=$!
server_is_there
verdict "server starts" $?

busybox wc -lwc "$@" | awk '$4 != "total" { print $1, $2, $3, $4 }' >"$work/wanted"
clients=
for client in 1 2 3 4; do
	"$here/count_client" count "$@" >"$work/printed$client" 2>&1 &
	clients="$clients $!"
done
status=0
for client in $clients; do
	wait "$client" || status=1
done
for client in 1 2 3 4; do
	[ -s "$work/wanted" ] && cmp -s "$work/wanted" "$work/printed$client" || status=1
done
verdict "what the server counts is what wc counts" $status

"$here/count_client" count /nowhere >"$work/printed" 2>&1
[ $? -eq 1 ] && grep -q '^/nowhere: No such file' "$work/printed"
verdict "an error of the server arrives" $?

# Workers are told apart from their server by nothing, and all of them are to end.
mailbox rm count && wait "$server"
verdict "server ends with its mailbox" $?

"$here/count_client" count /etc/passwd >"$work/printed" 2>&1
[ $? -eq 1 ] && grep -q 'No such file or directory' "$work/printed"
verdict "a mailbox that is not there is told" $?

echo "1..$number"
[ $failed -eq 0 ]
