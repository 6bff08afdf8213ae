#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Repositories elsewhere are looked at, at intervals and when their hosts say so; requests that are forged, sent again,
# about something else or too large start nothing; what was pushed while no server ran is built.

load lib.bash

TOP=$BATS_TEST_DIRNAME/../..

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	STAGING_PORT=$(free_port) HOOK_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    trigger: { tag: \"v*\" }
    tag: true
    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: blue-green, analysis: off, trigger: { branch: main } }"
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
	echo 1 >"$R/more"
	commit First
	g push -q host main
	(umask 077 && echo "a secret of the host's" >"$T/hook.secret")
	SECRET="a secret of the host's"
	write_server "poll: 1s"
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
commit() { g add -A && g commit -q --allow-empty -m "$1"; }
write_server() {
	cat >"$T/server.yaml.new" <<-YAML
		sources:
		  shop: { git: "file://$HOST", $1 }
		webhooks: { listen: "127.0.0.1:$HOOK_PORT" }
	YAML
	mv "$T/server.yaml.new" "$T/server.yaml"
}
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
builds() { davit builds --json | jq '.builds | length'; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
source_of() { davit webhook --json | jq -r ".sources[] | select(.app == \"shop\" and (.pushed | not)) | $1"; }
pushed_of() { davit webhook --json | jq -r ".sources[] | select(.app == \"shop\" and .pushed) | $1"; }
# At least one whole look from now on.
looked() {
	local before
	before=$(source_of '.looked_unix_ms // 0')
	wait_for 20 "a look" later_than "$before"
	before=$(source_of .looked_unix_ms)
	wait_for 20 "another look" later_than "$before"
}
later_than() { [ "$(source_of '.looked_unix_ms // 0')" -gt "$1" ]; }
signed() { printf %s "$1" | openssl dgst -sha256 -hmac "$SECRET" | awk '{ print $NF }'; }
# hook NAME BODY HEADER...: the status that it is answered with
hook() {
	local name=$1 body=$2 header headers=()
	shift 2
	for header in "$@"; do headers+=(-H "$header"); done
	printf %s "$body" >"$T/body"
	curl -s --max-time 10 -o "$T/answer" -w '%{http_code}' -H 'Content-Type: application/json' "${headers[@]}" \
		--data-binary "@$T/body" "http://127.0.0.1:$HOOK_PORT/hooks/$name"
}
listens() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$HOOK_PORT/")" = 404 ]; }
log_says() { grep -q "$1" "$T/up.log"; }

@test "a repository elsewhere is looked at: branches that move and tags that come are built, once each" {
	g tag old
	g push -q host old
	up --server "$T/server.yaml"
	wait_for 30 "the first build in staging" holds v0.0.1 live_in staging
	is refs/heads/main build_of 1 .ref
	is "$(g rev-parse HEAD)" build_of 1 .commit
	is source:shop build_of 1 .by
	looked
	is 1 builds

	# A tag of a later day is called so; a branch that no environment wants is left.
	echo 2 >"$R/more"
	commit Second
	g push -q host HEAD:feature/one
	g tag -a -m 'The first' v1.0.0
	g push -q host v1.0.0
	wait_for 30 "v1.0.0 in prod" holds v1.0.0 live_in prod
	looked
	is 2 builds

	# Forced back and forth: each state of a branch is built when it comes.
	g push -q host main
	wait_for 30 "the second commit in main" holds passed build_of 3 .state
	g push -q -f host HEAD~1:main
	wait_for 30 "the first commit again" holds passed build_of 4 .state
	is "$(g rev-parse HEAD~1)" build_of 4 .commit
	g push -q host :feature/one :v1.0.0
	looked
	is 4 builds

	# What cannot be built is told, and is no reason to stop.
	printf 'app: shop\nenvironment: {}\n' >"$R/davit.yaml"
	commit Broken
	g push -q -f host main
	wait_for 20 "the note" eval 'davit webhook | grep -q "refs/heads/main is not built: davit.yaml:2:1"'
	write_config "$R/davit.yaml"
	sed -i 's/^app: shop/app: other/' "$R/davit.yaml"
	commit Another
	g push -q host main
	wait_for 20 "the note" eval 'davit webhook | grep -q "its davit.yaml is that of other"'
	is 4 builds

	# A host that is away is told once, and found again.
	mv "$T/host" "$T/away"
	wait_for 20 "the failure" holds failed source_of .state
	exits 0 davit webhook
	says "failed"
	says "git cannot fetch from it"
	mv "$T/away" "$T/host"
	wait_for 20 "the return" holds seen source_of .state
	is 1 grep -c 'sources.look.*error' "$T/up.log"

	# A tag that no release can be called by keeps no other one from being built; nor does what a killed git left.
	touch "$T/state/sources/shop.git/refs/heads/main.lock" "$T/state/sources/shop.git/packed-refs.lock"
	g tag v/1 'v1.0.0^{commit}'
	g tag v2.0.0 'v1.0.0^{commit}'
	g push -q host v/1 v2.0.0
	wait_for 20 "the build of the other tag" holds passed build_of 5 .state
	is refs/tags/v2.0.0 build_of 5 .ref
	wait_for 20 "the note" eval 'davit webhook | grep -q "refs/tags/v/1 is not built"'
	is seen source_of .state

	# Another place is looked at for the first time, whatever was seen of the old one; its owner is somebody else.
	down
	git clone -q --bare "$HOST" "$T/host/acme/other.git"
	git -C "$T/host/acme/other.git" tag v5 'v2.0.0^{commit}'
	chown -R 12345:12345 "$T/host/acme/other.git" 2>/dev/null || true
	chmod 755 "$T/host" "$T/host/acme"
	HOST=$T/host/acme/other.git
	write_server "poll: 1s"
	up --server "$T/server.yaml"
	wait_for 20 "the first look" holds seen source_of .state
	looked
	is 5 builds
	exits 0 davit audit --verify
}

@test "a signed request makes it look at once; forged, old, foreign and large ones start nothing" {
	write_server "poll: 1d, webhook: { from: github, secret_file: $T/hook.secret }"
	up --server "$T/server.yaml"
	wait_for 10 "the listener" listens
	wait_for 30 "the first build" holds v0.0.1 live_in staging
	echo 2 >"$R/more"
	commit Second
	g push -q host main
	local body='{"ref":"refs/heads/main","repository":{"full_name":"Acme/shop"}}' i before
	local good=("X-GitHub-Event: push" "X-Hub-Signature-256: sha256=$(signed "$body")")

	before=$(source_of .looked_unix_ms)
	is 401 hook shop "$body" "X-GitHub-Event: push"
	is 401 hook shop "$body" "X-GitHub-Event: push" "X-Hub-Signature-256: sha256=$(printf %064d 0)"
	is 401 hook shop "$body " "${good[@]}"
	is 401 hook shop "$body" "X-GitHub-Event: push" "X-Hub-Signature-256: $(signed "$body")"
	is 401 hook shop "$body" "X-GitHub-Event: push" "X-Gitlab-Token: $SECRET"
	is 404 hook other "$body" "${good[@]}"
	is 404 hook shop/more "$body" "${good[@]}"
	is 404 hook ../shop "$body" "${good[@]}"
	is 405 curl -s -o "$T/answer" -w '%{http_code}' "http://127.0.0.1:$HOOK_PORT/hooks/shop"
	local foreign='{"ref":"refs/heads/main","repository":{"full_name":"evil/shop"}}'
	is 409 hook shop "$foreign" "X-GitHub-Event: push" "X-Hub-Signature-256: sha256=$(signed "$foreign")"
	grep -q "evil/shop" "$T/answer"
	local part='{"repository":{"full_name":"shop"}}'
	is 409 hook shop "$part" "X-GitHub-Event: push" "X-Hub-Signature-256: sha256=$(signed "$part")"
	is 400 hook shop 'x=1' "X-GitHub-Event: push" "X-Hub-Signature-256: sha256=$(signed 'x=1')"
	head -c 10000000 /dev/zero | tr '\0' ' ' >"$T/large"
	is 413 curl -s --max-time 20 -o "$T/answer" -w '%{http_code}' -H 'Content-Type: application/json' -H "${good[0]}" -H "${good[1]}" \
		--data-binary "@$T/large" "http://127.0.0.1:$HOOK_PORT/hooks/shop"
	# What a host only tries is taken, and starts nothing.
	is 200 hook shop "$body" "X-GitHub-Event: ping" "${good[1]}"
	is 200 hook shop "$body" "X-GitHub-Event: issues" "${good[1]}"
	is "$before" source_of .looked_unix_ms
	is 1 builds

	is 202 hook shop "$body" "${good[@]}"
	wait_for 30 "the second build" holds passed build_of 2 .state
	is "$(g rev-parse HEAD)" build_of 2 .commit
	# Again, by whomever: refused, also after a restart.
	is 409 hook shop "$body" "${good[@]}"
	down
	up --server "$T/server.yaml"
	wait_for 10 "the listener" listens
	wait_for 20 "the look at the start" holds seen source_of .state
	before=$(source_of .looked_unix_ms)
	is 409 hook shop "$body" "${good[@]}"
	is "$before" source_of .looked_unix_ms

	# A branch that nobody wants: looked at, and nothing follows.
	g push -q host HEAD:feature/two
	local two='{"ref":"refs/heads/feature/two","repository":{"full_name":"acme/shop"}}'
	is 202 hook shop "$two" "X-GitHub-Event: push" "X-Hub-Signature-256: sha256=$(signed "$two")"
	wait_for 20 "the look" later_than "$before"
	is 2 builds

	# Everything is logged, and strangers cannot fill the log.
	for i in {1..60}; do is 401 hook shop "$body$i" "${good[@]}"; done
	log_says 'webhook.refused app="shop" why="The X-Hub-Signature-256 is not one of our secret."'
	[ "$(grep -c webhook.refused "$T/up.log")" -le 21 ]
	cat "$T/up.before.log" "$T/up.log" >"$T/logs"
	grep -q 'why="The request is larger than davit takes."' "$T/logs"
	grep -q 'why="This request was taken before' "$T/logs"
	grep -q 'why="The request is about the repository' "$T/logs"
	exits 0 davit webhook
	says "webhook of github at http://127.0.0.1:$HOOK_PORT/hooks/shop: 1 taken"
	says "refused last: The X-Hub-Signature-256 is not one of our secret."
	exits 0 davit audit --json
	is 2 eval 'echo "$output" | grep -o webhook.taken | wc -l'
	fails grep -rqF "$SECRET" "$T/state" "$T/logs"
}

@test "gitlab and gitea sign in their own ways; a secret is changed without a gap; one that is open to others is refused" {
	write_server "poll: 1d, webhook: { from: gitlab, secret_file: $T/hook.secret }"
	up --server "$T/server.yaml"
	wait_for 10 "the listener" listens
	wait_for 20 "the first look" holds seen source_of .state
	local lab='{"ref":"refs/heads/main","project":{"path_with_namespace":"acme/shop"}}'
	is 401 hook shop "$lab" "X-Gitlab-Event: Push Hook" "X-Gitlab-Token: another"
	is 401 hook shop "$lab" "X-Gitlab-Event: Push Hook" "X-Gitlab-Token: ${SECRET}x"
	is 202 hook shop "$lab" "X-Gitlab-Event: Push Hook" "X-Gitlab-Token: $SECRET"
	is 200 hook shop "$lab" "X-Gitlab-Event: Note Hook" "X-Gitlab-Token: $SECRET"

	write_server "poll: 1d, webhook: { from: gitea, secret_file: [$T/hook.secret, $T/hook.new] }"
	(umask 077 && echo "the secret that comes next" >"$T/hook.new")
	wait_for 10 "the new file" holds gitea source_of .webhook.from
	local tea='{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}' old=$SECRET
	is 202 hook shop "$tea" "X-Gitea-Event: push" "X-Gitea-Signature: $(signed "$tea")"
	SECRET="the secret that comes next"
	is 202 hook shop "$tea " "X-Gitea-Event: push" "X-Gitea-Signature: $(signed "$tea ")"
	SECRET="none of ours"
	is 401 hook shop "$tea  " "X-Gitea-Event: push" "X-Gitea-Signature: $(signed "$tea  ")"
	SECRET=$old
	chmod 644 "$T/hook.secret"
	is 503 hook shop "$tea  " "X-Gitea-Event: push" "X-Gitea-Signature: $(signed "$tea  ")"
	log_says "Others may read or change $T/hook.secret"
	(umask 077 && echo short >"$T/hook.secret.new" && mv "$T/hook.secret.new" "$T/hook.secret")
	SECRET=short
	is 503 hook shop "$tea  " "X-Gitea-Event: push" "X-Gitea-Signature: $(signed "$tea  ")"
	is 1 builds

	# Nothing listens any more once the file says so.
	printf 'sources: { shop: "file://%s" }\n' "$HOST" >"$T/server.yaml.new"
	mv "$T/server.yaml.new" "$T/server.yaml"
	wait_for 10 "the end of the listener" fails listens
	exits 0 davit webhook look shop
	exits 3 davit webhook look nothing
	says "No repository of \"nothing\" is looked at"
}

@test "a private repository is read with a token that is given to its host alone, and seen nowhere" {
	command -v openssl >/dev/null
	local token=canary-token-4f1c git_port
	git_port=$(free_port)
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost' \
		-keyout "$T/tls.key" -out "$T/tls.crt" 2>/dev/null
	git -C "$HOST" config http.receivepack false
	env -u DAVIT_TEST_MARK python3 "$BATS_TEST_DIRNAME/githost.py" "$git_port" "$T/host" "$T/tls.crt" "$T/tls.key" "$token" 3>&- 4>&- &
	chaos_pids+=($!)
	(umask 077 && echo wrong >"$T/token")
	cat >"$T/server.yaml" <<-YAML
		sources:
		  shop: { git: "https://localhost:$git_port/acme/shop.git", poll: 1s, token_file: "$T/token" }
	YAML
	GIT_SSL_CAINFO=$T/tls.crt up --server "$T/server.yaml"
	wait_for 20 "a refusal" holds failed source_of .state
	(umask 077 && echo "$token" >"$T/token")
	wait_for 30 "the first build" holds v0.0.1 live_in staging
	chmod 640 "$T/token"
	wait_for 20 "a refusal" eval 'davit webhook | grep -q "Others may read or change"'
	chmod 600 "$T/token"
	wait_for 20 "the return" holds seen source_of .state
	fails grep -rqF "$token" "$T/state" "$T/up.log"
	fails grep -rqF "$(printf 'x-access-token:%s' "$token" | base64)" "$T/state" "$T/up.log"

	# Where the file of the server is wrong, it says what and where.
	local wrong
	for wrong in 'git: "https://me:secret@localhost/a.git"' 'git: "ext::sh -c id"' 'git: "ssh://-oProxyCommand=id/a"' "git: \"file:///a.git\", token_file: \"$T/token\""; do
		printf 'sources: { shop: { %s } }\n' "$wrong" >"$T/wrong.yaml"
		fails env -C "$T" timeout 20 "$DAVIT" up --state "$T/other" --server "$T/wrong.yaml" >"$T/wrong.log" 2>&1 3>&-
		grep -q "wrong.yaml:1" "$T/wrong.log"
	done
}

@test "what was pushed while no server ran is built at the next start, and nothing else" {
	up
	exits 0 env -C "$R" "$DAVIT" remote
	exits 0 g push davit main
	wait_for 30 "v0.0.1 in staging" holds v0.0.1 live_in staging
	# What is put into production is tagged by davit itself.
	exits 0 davit deploy prod v0.0.1
	wait_for 20 "the tag" git -C "$T/state/repositories/shop.git" rev-parse -q --verify refs/tags/v0.0.1
	wait_for 20 "the look" holds seen pushed_of .state
	exits 0 davit webhook look shop
	down
	echo 2 >"$R/more"
	commit Second
	g push davit main >"$T/push.log" 2>&1
	g tag v2.0.0
	g push davit v2.0.0 >>"$T/push.log" 2>&1
	g push davit HEAD:feature/three >>"$T/push.log" 2>&1
	grep -q "davit up" "$T/push.log"
	up
	wait_for 30 "v2.0.0 in prod" holds v2.0.0 live_in prod
	wait_for 30 "both builds" holds passed build_of 3 .state
	is push:shop build_of 2 .by
	wait_for 20 "the look" holds seen pushed_of .state
	is 3 builds
	down
	up
	wait_for 20 "the look" holds seen pushed_of .state
	is 3 builds
}

@test "killed between an order and the note that it was seen, it orders once" {
	export DAVIT_FAILPOINT_FILE=$T/failpoint
	DAVIT=$BUILD/davit-failpoints
	echo "sources.after-order 1" >"$DAVIT_FAILPOINT_FILE"
	up --server "$T/server.yaml"
	wait_for 20 "the kill" test -e "$DAVIT_FAILPOINT_FILE.taken"
	wait_for 30 "the build" holds v0.0.1 live_in staging
	looked
	is 1 builds
}

@test "names, files and links that mean harm are only data" {
	local i name
	# As git itself takes them: what a server elsewhere may hold.
	for i in {1..200}; do
		case $((i % 5)) in
		0) name="x;touch\${IFS}$T/owned$i" ;;
		1) name="--upload-pack=touch-$i" ;;
		2) name="\$(touch\$IFS'$T/owned$i')" ;;
		3) name="é-‮$i" ;;
		*) name="a|touch-$T/owned$i" ;;
		esac
		printf 'create refs/heads/%s %s\n' "$name" "$(g rev-parse HEAD)"
	done >"$T/names"
	git -C "$HOST" update-ref --stdin <"$T/names"
	printf '#!/bin/sh\ntouch %s/owned\n' "$T" >"$HOST/hooks/post-upload-pack"
	chmod +x "$HOST/hooks/post-upload-pack"
	ln -s /etc/passwd "$R/passwd"
	commit Links
	g push -q host main
	up --server "$T/server.yaml"
	wait_for 40 "the build of main" holds v0.0.1 live_in staging
	is 201 source_of .refs
	is 1 builds
	exits 0 davit webhook
	says "its name has other characters than letters, digits"
	fails compgen -G "$T/owned*"
	fails grep -q $'\xe2\x80\xae' "$T/deploy.err"
	fails eval 'davit webhook | grep -q "‮"'
}

@test "what docs/how-to/git-sources.md tells people to type does what it says" {
	local page=docs/how-to/git-sources.md name
	for name in project look; do
		python3 - "$TOP/$page" "$name" <<-'PY' | sed "s/8080/$PORT/" >"$T/block.$name"
			import re, sys
			found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
			print(found[0], end="") if len(found) == 1 else sys.exit("not one block")
		PY
	done
	is 2 grep -c '<!-- run:' "$TOP/$page"
	run_block() { (cd "$1" && exec env PATH="$BUILD:$PATH" bash -e "$T/block.$2") >"$T/said.$2" 2>&1 </dev/null 3>&- || { cat "$T/said.$2"; false; }; }
	run_block "$T" project
	up --server server.yaml
	wait_for 30 "the page" holds hello curl -s "http://127.0.0.1:$PORT/"
	run_block "$T/greet" look
	grep -q "greet.*file://$T/greet.git  each 5s" "$T/said.look"
	grep -q passed "$T/said.look"
}
