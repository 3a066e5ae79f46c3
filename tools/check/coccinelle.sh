# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154  # variables and functions of check.sh
#
# The kernel's Coccinelle scripts. "make coccicheck" does not run outside its tree.

# "SCRIPT FILE FUNCTION" of what is right as it is. One that finds nothing any more is a
# failure.
declare -A known=(
	# The object has room for a payload behind the structure, and only the structure
	# is to be cleared: kmem_cache_zalloc() would clear all of it at every send.
	["zalloc-simple module/message.c mbx_message_new"]=unseen
	# The ends that are not the usual one drop it: finish() and keep().
	["mini_lock module/receive_user.c receive_first"]=unseen
)

# Scripts in OCaml would need its compiler. Those are two: one is for one driver, and
# what the other looks for, 0 instead of NULL, sparse finds.
cocci_scripts()
{
	find "$1/scripts/coccinelle" -name '*.cocci' -exec grep -L '^@.*:ocaml' {} + | sort
}

# run_cocci SCRIPT: prints "SCRIPT FILE:LINE:COLUMNS: TEXT" for what it finds.
run_cocci()
{
	local options

	options=$(sed -n 's,^// *Options: *,,p' "$1" | head -n 1)
	# Some name a macro and are asked whether they mean it.
	# shellcheck disable=SC2086  # words
	{ spatch -D report --no-show-diff --very-quiet $options --cocci-file "$1" \
		--dir module 2>&1 || echo "spatch failed"; } |
		grep -vE '^$|^warning: line [0-9]+: should [a-z_]+ be a metavariable' |
		sed "s,^,$(basename "$1" .cocci) ,"
}

# Takes out what is known, and names the function of the rest.
judge_findings()
{
	local said script file line text function finding

	while IFS= read -r said; do
		IFS=' :' read -r script file line text <<<"$said"
		[ -f "$file" ] || { echo "$said"; continue; }
		function=$(head -n "$line" "$file" |
			sed -nE 's/^[a-z][^(]*[ *]([a-z0-9_]+)\(.*/\1/p' | tail -n 1)
		finding="$script $file $function"
		if [ "${known[$finding]:-}" ]; then
			known[$finding]=seen
		else
			echo "$file:$line: $function(): $script: $text"
		fi
	done
	for finding in "${!known[@]}"; do
		[ "${known[$finding]}" = seen ] || echo "not found any more: $finding"
	done
}

# It takes half a minute, so what has passed is not asked again.
check_coccinelle()
{
	local source sum found

	source=$("$vm/build-kernel.sh" --source 6.1) || { echo "no Coccinelle scripts"; return; }
	sum=$({ spatch --version && cocci_scripts "$source" | xargs cat \
		tools/check/coccinelle.sh module/*; } 2>&1 | sha256sum)
	[ ! -e "$out/coccinelle-${sum:0:16}" ] || return 0
	rm -f "$out"/coccinelle-*
	export -f run_cocci
	# shellcheck disable=SC2016  # for the other bash to expand
	found=$(cocci_scripts "$source" |
		xargs -P "$(nproc)" -n 1 bash -c 'run_cocci "$1"' - | judge_findings)
	if [ "$found" ]; then
		echo "$found"
	else
		touch "$out/coccinelle-${sum:0:16}"
	fi
}
