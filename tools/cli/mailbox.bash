# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of the command 'mailbox' for bash.

# Long options of a sub-command, as its own help lists them.
_mailbox_options()
{
	mailbox "$1" --help 2>/dev/null | grep -oE -e '--[a-z][a-z-]*=?' | sort -u
}

_mailbox_words()
{
	local word

	COMPREPLY=()
	while IFS= read -r word; do
		[[ $word && $word == "$2"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
	done <<<"$1"
}

_mailbox()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command i
	local commands="create send receive work call serve subscribe peek watch ls stat set rm info send-to receive-from links cat-region pipe run bridge"

	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands help --help --version" -- "$current")
		return
	fi

	command=${COMP_WORDS[1]}
	if [[ $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
		return
	fi
	if [[ $command == run && $current != -* && $COMP_CWORD -eq 2 ]]; then
		mapfile -t COMPREPLY < <(compgen -A command -- "$current")
		return
	fi
	# Behind -- of these stands any command.
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ($command == create || $command == work || $command == serve ||
		       $command == run) &&
		      ${COMP_WORDS[i]} == -- ]]; then
			mapfile -t COMPREPLY < <(compgen -A command -- "$current")
			return
		fi
	done

	# bash gives '--option=value' as three words.
	if [[ $current == = ]]; then
		current=
	elif [[ $previous == = ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $previous in
	--capacity)	mapfile -t COMPREPLY < <(compgen -W "bounded rendezvous unbounded" -- "$current") ;;
	--on-full)	mapfile -t COMPREPLY < <(compgen -W "wait wait-each refuse overwrite" -- "$current") ;;
	--policy)	mapfile -t COMPREPLY < <(compgen -W "any pair one broadcast" -- "$current") ;;
	--color)	mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$current") ;;
	--dead-letter | --name)	_mailbox_words "$(mailbox ls --names 2>/dev/null)" "$current" ;;
	--file | -f)	mapfile -t COMPREPLY < <(compgen -A file -- "$current") ;;
	*)
		if [[ $current == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_mailbox_options "$command")" -- "$current")
			[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
		elif [[ $command == pipe && $COMP_CWORD -eq 2 ]]; then
			mapfile -t COMPREPLY < <(compgen -W "create write read" -- "$current")
		elif [[ $command == bridge ]]; then
			mapfile -t COMPREPLY < <(compgen -W "status" -- "$current")
		elif [[ $command == send-to || $command == receive-from ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(ps -e -o pid= 2>/dev/null)" -- "$current")
		elif [[ $command == run ]]; then
			mapfile -t COMPREPLY < <(compgen -A file -- "$current")
		elif [[ $command != create && $command != ls && $command != info && $command != links ]]; then
			_mailbox_words "$(mailbox ls --names 2>/dev/null)" "$current"
		fi
		;;
	esac
}

complete -F _mailbox mailbox
