#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# davit --host ssh://…: every verb that asks the server, through a real sshd on loopback.

load lib.bash

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    analysis: off"
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	SSH_PORT=$(free_port)
	ME=$(id -un)
	mkdir "$T/there" "$T/bin"
	ln -s "$DAVIT" "$T/there/davit"
	for key in host me; do ssh-keygen -q -t ed25519 -N '' -f "$T/$key" </dev/null; done
	# A directory of its own, with the rights that sshd asks for, is not needed without StrictModes.
	cat >"$T/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:$SSH_PORT
HostKey $T/host
AuthorizedKeysFile $T/me.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
SetEnv PATH=$T/there:/usr/bin:/bin DAVIT_TEST_MARK=$T
CONFIG
	# What a person has in ~/.ssh, which a test has to leave alone.
	echo "[127.0.0.1]:$SSH_PORT $(cut -d' ' -f1,2 "$T/host.pub")" >"$T/known_hosts"
	cat >"$T/bin/ssh" <<SSH
#!/bin/sh
printf '%s\n' "\$@" >>"$T/ssh.argv"
exec /usr/bin/ssh -F none -i "$T/me" -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile="$T/known_hosts" "\$@"
SSH
	chmod +x "$T/bin/ssh"
	PATH=$T/bin:$PATH
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd # where sshd shuts itself in
	/usr/sbin/sshd -D -e -f "$T/sshd_config" 2>"$T/sshd.log" 3>&- 4>&- &
	sshd_pid=$!
	wait_for 10 "sshd to listen" grep -q "listening on" "$T/sshd.log"
	HOST=ssh://$ME@127.0.0.1:$SSH_PORT$T/state
}

teardown() {
	kill "$sshd_pid" 2>/dev/null || true
	wait_for 10 "sshd to end" gone "$sshd_pid" || true
	kit_teardown
}

@test "a release goes out, is watched, judged by its logs and taken back, all over ssh" {
	release v1
	release v2
	up
	unset DAVIT_STATE
	exits 0 davit --host "$HOST" deploy prod "$T/rel/v1" --as v1
	says "v1"
	is v1 answering
	# A large upload streams through.
	head -c 30000000 /dev/urandom >"$T/rel/v2/blob"
	exits 0 davit --host "$HOST" deploy prod "$T/rel/v2" --as v2 --json
	is succeeded jq -r .rollout.state <<<"${output##*$'\n'}"
	wait_for 10 "v2 to answer" holds v2 answering
	export DAVIT_HOST=$HOST
	is v2 live_tag
	exits 0 davit why prod
	exits 0 davit logs prod -n 5
	says "app v2 starts"
	exits 0 davit rollback prod
	wait_for 10 "v1 to answer" holds v1 answering
	exits 0 davit audit --verify
	exits 3 davit why nowhere
	# Who it was is whom ssh logged in.
	exits 0 davit audit --json
	is "$ME" bash -c 'jq -r "[.entries[] | select(.action == \"deploy\")][0].who" <<<"$1"' - "$output"
	unset DAVIT_HOST
	exits 0 davit --host "ssh://127.0.0.1:$SSH_PORT$T/state" status
}

@test "addresses that are none, verbs that do not go far, and what ssh says" {
	for bad in ssh:// ssh://-oProxyCommand=x "ssh://-l@host" "ssh://a b" 'ssh://h;x' ssh://h:0 ssh://h:70000 "ssh://\$(x)@h" ftp://h h; do
		exits 2 davit --host "$bad" status
		says "is no address of a server"
	done
	[ ! -e "$T/ssh.argv" ]
	for verb in "up" "serve" "gateway --table x" "backup f" "restore f" "exec prod -- x" "doctor"; do
		# shellcheck disable=SC2086 # words
		exits 2 davit --host "$HOST" $verb
		says "on the server's own machine alone"
	done
	exits 2 env -C "$T" DAVIT_HOST="$HOST" "$DAVIT" restore f
	says "DAVIT_HOST"
	# A hook that says whose state it means is not led elsewhere by the pusher's shell.
	exits 2 env -C "$T" DAVIT_HOST="$HOST" "$DAVIT" receive --state "$T/nowhere" </dev/null
	says "hook of a repository"
	exits 2 davit --host "$HOST" validate
	says "needs no server"
	exits 0 env DAVIT_HOST="$HOST" "$DAVIT" version
	exits 2 davit --host "$HOST" --state x status
	says "--state names a directory of this machine"

	exits 6 davit --host "$HOST" status
	says "no server answers in $T/state"
	exits 6 davit --host "ssh://127.0.0.1:$SSH_PORT/it's \$(touch $T/no) \"here\"" status
	says "no server answers in /it's \$(touch $T/no) \"here\""
	[ ! -e "$T/no" ]
	exits 6 davit --host "ssh://127.0.0.1:$(free_port)" status
	says "Connection refused"
	says "Try \"ssh -p "
	mv "$T/there/davit" "$T/there/away"
	exits 6 davit --host "$HOST" status
	says "no davit on the PATH"
	echo >"$T/known_hosts"
	exits 6 davit --host "$HOST" status --json
	is unavailable jq -r .error <<<"$output"
	says "Host key verification failed"
}

@test "the commands of docs/how-to/remote.md" {
	release v1
	up
	unset DAVIT_STATE
	is 2 grep -c '<!-- run:' "$TOP/docs/how-to/remote.md"
	for name in once often; do
		sed -n "/^<!-- run: $name -->\$/,/^\`\`\`\$/p" "$TOP/docs/how-to/remote.md" | grep -E '^(davit|export) ' |
			sed "s|ssh://deploy@vm.example.com|$HOST|" >"$T/block"
		[ -s "$T/block" ]
		exits 0 env -C "$T/rel/v1" PATH="$BUILD:$PATH" bash -e "$T/block" </dev/null 3>&-
	done
	is v0.0.1 answering # nobody gave it a name
}
