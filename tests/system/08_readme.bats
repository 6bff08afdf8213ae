#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What README.md and docs/tutorial.md tell people to type does what they say. Each block of commands there has a name in the comment
# above it, <!-- run: NAME -->; ports and the path of the binary are the only things that are changed.

load lib.bash

setup() {
	kit_setup
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	unset DAVIT_STATE # as a person has it: ./.davit
	users_pid=''
}

teardown() {
	[ -z "$users_pid" ] || kill "$users_pid" 2>/dev/null || true
	kit_teardown
}

# block FILE NAME: the commands of one block
block() {
	python3 - "$TOP/$1" "$2" "$PORT" "$BUILD" <<'PYTHON'
import re, sys
file, name, port, build = sys.argv[1:]
found = re.findall(rf"<!-- run: {name} -->\n```sh\n(.*?)^```", open(file).read(), re.M | re.S)
if len(found) != 1:
    sys.exit(f"{file} has {len(found)} blocks called {name}")
print(found[0].replace("8080", port).replace("$PWD/build", build), end="")
PYTHON
}

# run_block FILE NAME: in the directory of the service, as a shell does; stops at the first command that fails
run_block() {
	block "$1" "$2" >"$T/block"
	[ -s "$T/block" ] || return 1
	echo "## $2" >>"$T/said"
	(cd "${HERE:-$T}" && exec env PATH="$BUILD:$PATH" bash -e "$T/block") </dev/null >"$T/block.out" 2>&1 3>&- || {
		cat "$T/block.out"
		return 1
	}
	cat "$T/block.out" >>"$T/said"
}

said() { grep -qE -- "$1" "$T/block.out" || { echo "nowhere said: $1"; cat "$T/block.out"; return 1; }; }

server() {
	: >"$T/up.out"
	# shellcheck disable=SC2046 # words of one command
	(cd "$HERE" && exec env PATH="$BUILD:$PATH" $(block "$1" server) >"$T/up.out" 2>>"$T/up.log" </dev/null 3>&- 4>&-) &
	up_pid=$!
	wait_for 15 "davit up to say that it is ready" grep -q ready "$T/up.out"
}

davit() { (cd "$HERE" && "$DAVIT" "$@" </dev/null 3>&-); }

@test "the README's five minutes to a first canary" {
	run_block README.md files
	HERE=$T/hello
	server README.md
	run_block README.md first
	said 'hello, world'
	block README.md users >"$T/users.sh"
	bash "$T/users.sh" >/dev/null 2>&1 3>&- 4>&- &
	users_pid=$!
	run_block README.md second
	said 'hello again'
	run_block README.md third
	said 'exit code 11'
	said 'hello again'
	said '5[0-9][0-9]|error'
}

@test "the picture in the README is the screen as it is drawn now" {
	mkdir "$T/picture"
	SETTLE=1 "$TOP/tools/screenshot" "$T/picture" 2>"$T/screenshot.err" </dev/null 3>&- || { cat "$T/screenshot.err"; false; }
	# Numbers differ from day to day, and so does what a step waits for; the other words do not.
	words() { sed -E 's/\b[0-9a-f]{12}\b//g; s/ requests .*//' "$1" | grep -oE '[A-Za-z][A-Za-z-]+' | grep -vx ms | sort -u; }
	diff <(words "$TOP/docs/watch.txt") <(words "$T/picture/watch.txt")
	# The README shows that very text.
	diff "$TOP/docs/watch.txt" <(awk '/<summary>The same as text/ { on = 1 } on && /^```$/ { n++; next } n == 1' "$TOP/README.md")
}

@test "the tutorial's hour, from where the README ends" {
	run_block README.md files
	HERE=$T/hello
	server README.md
	run_block README.md first
	block README.md users >"$T/users.sh"
	bash "$T/users.sh" >/dev/null 2>&1 3>&- 4>&- &
	users_pid=$!
	run_block README.md second
	run_block README.md third
	run_block docs/tutorial.md look
	said 'bad'
	run_block docs/tutorial.md slow
	wait_for 20 "the slow canary to have users" weight_is_shown
	run_block docs/tutorial.md steer
	run_block docs/tutorial.md abort
	said 'exit code 15'
	said 'hello again'
	run_block docs/tutorial.md plan
	run_block docs/tutorial.md blue-green
	said 'hello four'
	run_block docs/tutorial.md rollback
	said 'hello again'
	run_block docs/tutorial.md mark
	said 'refused, exit code'
	run_block docs/tutorial.md daily
	# Whatever stands in the tutorial is run here.
	[ "$(grep -c '<!-- run:' "$TOP/docs/tutorial.md")" = "$(grep -c '^	run_block docs/tutorial.md' "$BATS_TEST_FILENAME")" ]
}

weight_is_shown() { davit why prod --json | jq -e '.steps[] | select((.op | ascii_downcase) == "hold" and .state == "active")'; }
