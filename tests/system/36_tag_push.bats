#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The tag of a release that has succeeded goes on to the repository that it was built from: the tag alone, once, over no
# other one, and it comes back as nothing new.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	STAGING_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	# Whatever tag comes from elsewhere goes to staging.
	ENVIRONMENT_EXTRA="    trigger: { branch: main }
    tag: true
    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: blue-green, analysis: off, trigger: { tag: \"v*\" } }"
	EXTRA='pipeline: { package: { archive: [app, more] } }'
	HOST=$T/host/acme/shop.git R=$T/repo
	git init -q --bare -b main "$HOST"
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	g remote add host "$HOST"
	write_config "$R/davit.yaml"
	cp "$BUILD/tests/system/app" "$R/app"
	change First
	SOURCE="git: \"file://$HOST\", poll: 1s"
	write_server "push_tags: true"
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
change() {
	echo "$RANDOM $RANDOM" >"$R/more"
	g add -A && g commit -q -m "$1"
}
write_server() {
	printf 'sources:\n  shop: { %s, %s }\n' "$SOURCE" "$1" >"$T/server.yaml.new"
	mv "$T/server.yaml.new" "$T/server.yaml"
}
at_host() { git --git-dir "$HOST" "$@"; }
refs_at_host() { at_host for-each-ref --format='%(refname)' | tr '\n' ' '; }
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
builds() { davit builds --json | jq '.builds | length'; }
# Of the newest rollout of prod
tag_of_prod() { davit why prod --json | jq -r ".git_tag$1"; }
pushes_audited() { davit audit --json | jq '[.entries[] | select(.action == "git.push")] | length'; }
source_of() { davit webhook --json | jq -r ".sources[] | select(.app == \"shop\" and (.pushed | not)) | $1"; }
later_than() { [ "$(source_of '.looked_unix_ms // 0')" -gt "$1" ]; }
# Two whole looks from now on.
looked() {
	local before
	for _ in 1 2; do
		before=$(source_of '.looked_unix_ms // 0')
		wait_for 20 "a look" later_than "$before"
	done
}

@test "the tag of a success arrives alone, and is built no second time; one that is taken stays" {
	local first
	g push -q host main
	first=$(g rev-parse HEAD)
	# Two of the next names are taken: by a tag that means the same, and by one that means something else.
	change Second
	g tag v0.0.2
	g tag v0.0.3 "$first"
	g push -q host v0.0.2 v0.0.3
	up --server "$T/server.yaml"
	wait_for 30 "v0.0.1 in prod" holds v0.0.1 live_in prod
	wait_for 20 "the push" holds pushed tag_of_prod .push.state
	is elsewhere tag_of_prod .state
	is "file://$HOST" tag_of_prod .push.to
	is 'refs/heads/main refs/tags/v0.0.1 refs/tags/v0.0.2 refs/tags/v0.0.3 ' refs_at_host
	is "$first" at_host rev-parse 'v0.0.1^{commit}'
	is tag at_host cat-file -t v0.0.1
	exits 0 at_host cat-file tag v0.0.1
	says "v0.0.1 is live in shop/prod"
	says "approved by: nobody was asked"
	exits 0 davit why prod
	says "The tag v0.0.1 was pushed to file://$HOST."
	looked
	is 1 builds

	g push -q host main
	wait_for 30 "v0.0.2 in prod" holds v0.0.2 live_in prod
	wait_for 20 "what came of it" holds there tag_of_prod .push.state
	exits 0 davit why prod
	says "The tag v0.0.2 was there already, at the same commit, in file://$HOST."
	is commit at_host cat-file -t v0.0.2
	change Third
	g push -q host main
	wait_for 30 "v0.0.3 in prod" holds v0.0.3 live_in prod
	wait_for 20 "what came of it" holds refused tag_of_prod .push.state
	is succeeded rollout .state
	exits 0 davit why prod
	says "The tag v0.0.3 is at commit ${first:0:12} already in file://$HOST, and stays there."
	is "$first" at_host rev-parse v0.0.3
	is 'refs/heads/main refs/tags/v0.0.1 refs/tags/v0.0.2 refs/tags/v0.0.3 ' refs_at_host
	looked
	is 3 builds
	is 3 pushes_audited
	exits 0 davit audit --verify
}

@test "nothing goes where the server's file does not ask for it, whatever the commit says" {
	g push -q host main
	write_server "push_tags: false"
	up --server "$T/server.yaml"
	wait_for 30 "v0.0.1 in prod" holds v0.0.1 live_in prod
	wait_for 20 "it to succeed" holds succeeded rollout .state
	looked
	is null tag_of_prod ''
	is 'refs/heads/main ' refs_at_host
}

@test "by https with a token that may write; until it may, it is tried again, and nothing waits for it" {
	local token=canary-token-9a2e git_port
	command -v openssl >/dev/null
	git_port=$(free_port)
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost' \
		-keyout "$T/tls.key" -out "$T/tls.crt" 2>/dev/null
	at_host config http.receivepack false
	env -u DAVIT_TEST_MARK python3 "$BATS_TEST_DIRNAME/githost.py" "$git_port" "$T/host" "$T/tls.crt" "$T/tls.key" "$token" 3>&- 4>&- &
	chaos_pids+=($!)
	g push -q host main
	(umask 077 && echo "$token" >"$T/token")
	SOURCE="git: \"https://localhost:$git_port/acme/shop.git\", poll: 1s, token_file: \"$T/token\""
	write_server "push_tags: true"
	GIT_SSL_CAINFO=$T/tls.crt up --server "$T/server.yaml"
	wait_for 30 "v0.0.1 in prod" holds v0.0.1 live_in prod
	wait_for 20 "it to succeed" holds succeeded rollout .state
	wait_for 20 "the first try" eval '[ "$(tag_of_prod .push.tries)" -ge 1 ]'
	is wanted tag_of_prod .push.state
	exits 0 davit why prod
	says "The tag v0.0.1 is to be pushed on, and the last try failed: git cannot push the tag: "
	grep -q "control.tag_push rollout=1 tag=v0.0.1 state=\"wanted\"" "$T/up.log"
	# After a restart it is still wanted.
	down
	at_host config http.receivepack true
	GIT_SSL_CAINFO=$T/tls.crt up --server "$T/server.yaml"
	wait_for 60 "the push" holds pushed tag_of_prod .push.state
	is 'refs/heads/main refs/tags/v0.0.1 ' refs_at_host
	looked
	is 1 builds
	is 1 pushes_audited
	fails grep -rqF "$token" "$T/state" "$T/up.log" "$T/up.before.log"
	fails grep -rqF "$(printf 'x-access-token:%s' "$token" | base64)" "$T/state" "$T/up.log" "$T/up.before.log"
}

@test "killed after the push it has pushed once, and the tag is built no second time" {
	local made
	export DAVIT_FAILPOINT_FILE=$T/failpoint
	DAVIT=$BUILD/davit-failpoints
	g push -q host main
	echo "tag_push.after-push 1" >"$DAVIT_FAILPOINT_FILE"
	up --server "$T/server.yaml"
	wait_for 40 "the kill" test -e "$DAVIT_FAILPOINT_FILE.taken"
	rm -f "$DAVIT_FAILPOINT_FILE"
	made=$(at_host rev-parse v0.0.1)
	wait_for 20 "the controller" controller_is_back
	wait_for 20 "what came of it" holds there tag_of_prod .push.state
	is "$made" at_host rev-parse v0.0.1
	looked
	is 1 builds
	is 1 pushes_audited
	exits 0 davit audit --verify
}

@test "what was pushed to this server is tagged here, and the tag goes on with its commits" {
	up --server "$T/server.yaml"
	exits 0 env -C "$R" "$DAVIT" remote
	exits 0 g push davit main
	wait_for 30 "v0.0.1 in prod" holds v0.0.1 live_in prod
	wait_for 20 "the push" holds pushed tag_of_prod .push.state
	is made tag_of_prod .state
	is 'refs/tags/v0.0.1 ' refs_at_host
	is "$(git --git-dir "$T/state/repositories/shop.git" rev-parse v0.0.1)" at_host rev-parse v0.0.1
	exits 0 at_host fsck
	looked
	is 1 builds

	# One whose files are somebody else's is spoken to by nobody: what git there would run would be theirs.
	chown -R 12345:12345 "$HOST" 2>/dev/null || skip "needs root"
	printf '#!/bin/sh\ntouch %s/owned\n' "$T" >"$HOST/hooks/pre-receive"
	chmod +x "$HOST/hooks/pre-receive"
	change Second
	exits 0 g push davit main
	wait_for 30 "v0.0.2 in prod" holds v0.0.2 live_in prod
	wait_for 20 "the first try" eval '[ "$(tag_of_prod .push.tries)" -ge 1 ]'
	is wanted tag_of_prod .push.state
	exits 0 davit why prod
	says "dubious ownership"
	[ ! -e "$T/owned" ]
}
