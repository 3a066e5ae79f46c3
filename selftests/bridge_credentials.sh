#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who the bridge is at the server, in each way that libnats knows: it gets in with what is right, and
# says what to do about what is not. bridge_faults.sh has passwords and certificates.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"
# shellcheck source=bridge/status.sh
. "$(dirname "$0")/bridge/status.sh"
keys=$(readlink -f "$(dirname "$0")/bridge/keys")
nkey=$(sed -n 's/.*nkey: \([A-Z0-9]*\).*/\1/p' "$keys/nkey.conf")

# as LINE...: what the bridge says to the server, for hosts.sh.
# shellcheck disable=SC2034
as()
{
	bridge_server=$(printf '  %s\n' "$@")
}

# gets_in: the bridge of ha, and a message of it.
gets_in()
{
	await 60 route_is ha jobs state running && on ha mailbox send jobs hello &&
		await 60 route_is ha jobs moved 1 && return
	cat bridge.ha.log
	return 1
}

# says_so TEXT: the log and the status of the bridge, which does not get in.
says_so()
{
	until_status "$1" && contains 'not connected' || return
	# In the log a moment later.
	await 20 grep -qF "the connection is refused: $1; look at 'server:'" bridge.ha.log && return
	cat bridge.ha.log
	return 1
}

# does_not_start FILE KEY: and names both.
does_not_start()
{
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out}
	END
	expect 3 on ha mailbox-bridge "$PWD/bridge.ha.yaml" &&
		says "cannot read $1, which '$2' names: No such file or directory"
}

test_token()
{
	hosts ha || return
	echo 'authorization { token: secret }' >server.more
	echo secret >token
	as "token_file: $PWD/token"
	server_start && start && gets_in
}

# Once the file is mended the bridge needs no start.
test_key()
{
	hosts ha && cp "$keys/nkey.conf" server.more && server_start && echo nothing >seed || return
	as "nkey: $nkey" "nkey_seed: $PWD/seed"
	start && says_so "no nkey user seed found in '$PWD/seed'" || return
	cp "$keys/wrong.seed" seed && says_so 'Authorization Violation' || return
	cp "$keys/nkey.seed" seed && gets_in
}

test_files_that_are_not_there()
{
	hosts ha || return
	as "nkey: $nkey" "nkey_seed: $PWD/none.seed"
	does_not_start "$PWD/none.seed" nkey_seed || return
	as "credentials: $PWD/none.creds"
	does_not_start "$PWD/none.creds" credentials || return
	as "tls: {ca: $PWD/none.pem}"
	does_not_start "$PWD/none.pem" ca
}

test_credentials()
{
	hosts ha && cp "$keys/operator.conf" server.more && server_start || return
	# The token without the key.
	head -n 4 "$keys/bridge.creds" >creds
	as "credentials: $PWD/creds"
	start && says_so "no nkey user seed found in '$PWD/creds'" || return
	cp "$keys/stranger.creds" creds && says_so 'Authorization Violation' || return
	cp "$keys/bridge.creds" creds && gets_in
}

# The certificate of the server is for its address.
test_server_that_is_not_the_one_wanted()
{
	local tls="${keys%/*}/tls"

	hosts ha || return
	echo "tls { cert_file: $tls/server.pem, key_file: $tls/server.key }" >server.more
	as "tls: {ca: $tls/ca.pem, hostname: other.example.com}"
	server_start && start || return
	await 60 grep -qi 'hostname mismatch' bridge.ha.log || { cat bridge.ha.log; return 1; }
	until_status 'not connected' && bridge_stop ha || return
	as "tls: {ca: $tls/ca.pem}"
	start && gets_in
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
