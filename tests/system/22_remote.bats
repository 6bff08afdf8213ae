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

# What is left of our input when the command is over, or what it has read of it.
davit_reads() { echo from-here | (davit_with_input --host "$HOST" "$@" >"$T/read" || true; cat; [ "$1" != exec ] || cat "$T/read"); }
davit_with_input() { (cd "$T" && "$DAVIT" "$@" 3>&-); }

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
	for verb in "up" "serve" "gateway --table x"; do
		# shellcheck disable=SC2086 # words
		exits 2 davit --host "$HOST" $verb
		says "on the server's own machine alone"
	done
	exits 2 env -C "$T" DAVIT_HOST="$HOST" "$DAVIT" gateway --table x
	says "DAVIT_HOST"
	for verb in "backup f" "restore f" "exec prod -- x" "doctor" "remote --app shop"; do
		# shellcheck disable=SC2086 # words
		exits 2 davit --host https://127.0.0.1:1 $verb
		says "runs there by ssh"
	done
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

@test "a backup is made there and lies here, whole or not at all, and is restored there" {
	release v1
	up
	unset DAVIT_STATE
	exits 0 davit --host "$HOST" deploy prod "$T/rel/v1" --as v1
	exits 0 davit --host "$HOST" backup "$T/b.tar.zst"
	says "holds the store"
	says "$T/b.tar.zst is that archive"
	is 600 stat -c %a "$T/b.tar.zst"
	exits 5 davit --host "$HOST" backup "$T/b.tar.zst"
	exits 0 davit --host "$HOST" backup --force --json "$T/b.tar.zst"
	is "$T/b.tar.zst" jq -r .file <<<"$output"
	davit --host "$HOST" backup - 2>/dev/null >"$T/stream"
	is from-here davit_reads backup --force "$T/b.tar.zst"
	exits 2 script -qec "'$DAVIT' --host '$HOST' backup -" /dev/null </dev/null
	says "nothing for a terminal"
	# Ends in the middle there: nothing lies here.
	mv "$T/there/davit" "$T/there/away"
	printf '#!/bin/sh\nhead -c 1000 "%s/stream"\nexit 1\n' "$T" >"$T/there/davit"
	chmod +x "$T/there/davit"
	exits 1 davit --host "$HOST" backup "$T/half.tar.zst"
	[ ! -e "$T/half.tar.zst" ]
	is 1 sh -c "ls -A '$T' | grep -c 'tar.zst\|davit-backup'"
	mv "$T/there/away" "$T/there/davit"
	# There, where nothing runs, it is the state again.
	mkdir -m 700 "$T/other"
	exits 5 davit --host "$HOST" restore "$T/b.tar.zst"
	exits 0 davit --host "ssh://127.0.0.1:$SSH_PORT$T/other" restore "$T/stream"
	says "has the store of the backup"
	exits 3 davit --host "ssh://127.0.0.1:$SSH_PORT$T/other" restore "$T/nothing"
	exits 0 davit --state "$T/other" backup "$T/again.tar.zst"
	kill -INT "$up_pid"
}

@test "commands in an instance's place, and what a machine lacks, from here: words stay words, exit codes too" {
	release v1
	up
	unset DAVIT_STATE
	exits 0 davit --host "$HOST" deploy prod "$T/rel/v1" --as v1
	exits 0 davit --host "$HOST" exec prod -- printf '%s|' "a  b" "\$(touch $T/no)" "'; touch $T/no; '" '--json'
	is "a  b|\$(touch $T/no)|'; touch $T/no; '|--json|" printf %s "$output"
	[ ! -e "$T/no" ]
	exits 7 davit --host "$HOST" exec prod -- sh -c 'exit 7'
	exits 126 davit --host "$HOST" exec prod -- sh -c 'exit 126'
	is from-here davit_reads exec prod -- cat
	is from-here davit_reads doctor
	exits 3 davit --host "$HOST" exec nowhere -- true
	davit --host "$HOST" doctor --json >"$T/doctor.json" || true
	is davit.v1/doctor jq -r .schema "$T/doctor.json"
	exits 6 davit --host "ssh://127.0.0.1:$(free_port)" exec prod -- true
}

@test "a push by ssh: the repository is made there, the pusher sees the build, and the release is live" {
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	local R=$T/repo
	EXTRA='pipeline: { unit: { run: "echo tested by ssh" }, package: { needs: [unit], archive: [app] } }'
	ENVIRONMENT_EXTRA='    analysis: off
    trigger: { branch: main }'
	up
	chmod 755 "$T"
	mkdir -m 755 "$R"
	git -C "$R" init -q -b main
	cp "$BUILD/tests/system/app" "$R/app"
	write_config "$R/davit.yaml"
	git -C "$R" add -A
	git -C "$R" -c user.name=Ann -c user.email=ann@example.com commit -q -m First
	unset DAVIT_STATE
	exits 0 env -C "$R" "$DAVIT" --host "$HOST" remote
	is "$HOST/repositories/shop.git" git -C "$R" remote get-url davit
	is 2g git --git-dir "$T/state/repositories/shop.git" config receive.maxInputSize
	git --git-dir "$T/state/repositories/shop.git" config receive.maxInputSize 1g
	exits 0 env -C "$R" "$DAVIT" --host "$HOST" remote
	is 1g git --git-dir "$T/state/repositories/shop.git" config receive.maxInputSize
	exits 0 env GIT_SSH_COMMAND="$T/bin/ssh" git -C "$R" push davit main
	says "tested by ssh"
	says "passed     build 1"
	wait_for 20 "it to be live" holds v0.0.1 env DAVIT_STATE="$T/state" bash -c "cd '$T' && '$DAVIT' status prod --json | jq -r '.applications[0].environments[0].live.tag'"
	exits 0 davit --host "$HOST" build main --app shop
	says "passed     build 2"
	# More than the repository takes in a push is refused, in words.
	git --git-dir "$T/state/repositories/shop.git" config receive.maxInputSize 10k
	head -c 100000 /dev/urandom >"$R/blob"
	git -C "$R" add -A
	git -C "$R" -c user.name=Ann -c user.email=ann@example.com commit -q -m Large
	exits 1 env GIT_SSH_COMMAND="$T/bin/ssh" git -C "$R" push davit main
	says "maximum allowed size"
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
