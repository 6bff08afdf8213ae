#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The server builds commits: ordered by hand, and pushed into a repository of its own. The application is the one of the
# other tests, as a repository: its pipeline packs a program that is there.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	STAGING_PORT=$(free_port)
	INSTANCES=1
	ENVIRONMENT_EXTRA="    trigger: { tag: \"v*\" }
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: blue-green, analysis: off, trigger: { branch: main } }"
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name 'Ann Émile'
	g config user.email ann@example.com
	pipeline '  unit: { run: "sh test.sh" }
  package: { needs: [unit], archive: [app] }'
	echo 'echo all is well' >"$R/test.sh"
	cp "$BUILD/tests/system/app" "$R/app"
	commit First
}

teardown() {
	kit_teardown
	# Nothing of a build either: bwrap names $T, its processes belong to users that only sandboxes have.
	! pgrep -f "bwrap .*$T/" && ! grep -q "$T" /proc/mounts
}

g() { git -C "$R" "$@" 3>&- 4>&-; }
in_repo() { (cd "$R" && "$DAVIT" "$@" </dev/null 3>&-); }
pipeline() {
	EXTRA=$(printf 'pipeline:\n%s' "$1")
	write_config "$R/davit.yaml"
}
commit() { g add -A && g commit -q --allow-empty -m "$1"; }
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
serves() { curl -s --max-time 5 "http://127.0.0.1:$STAGING_PORT/up" >/dev/null; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
# Those of builders whose processes are named.
cgroups() {
	local pid
	for pid in "$@"; do find /sys/fs/cgroup -maxdepth 5 -type d -name "davit-build-$pid-*" 2>/dev/null; done
}
waits_in_it() { davit logs build/1/unit | grep -q "it waits"; }
sandboxes() { pgrep -fc "bwrap .*$T/"; }
rollouts_of() { davit history "$1" --json | jq -s '[.[] | .rollouts[]?] | length'; }

@test "a commit is built, becomes a release, and goes where it was wanted" {
	up
	exits 0 in_repo build --to staging
	says "unit"
	says "v0.0.1"
	wait_for 20 "v0.0.1 in staging" holds v0.0.1 live_in staging
	serves
	is passed build_of 1 .state
	is "Ann Émile <ann@example.com>" build_of 1 .author
	is First build_of 1 .subject
	is "$(g rev-parse HEAD)" build_of 1 .commit
	exits 0 davit logs build/1/unit
	says "all is well"
	exits 0 davit releases --json
	says "commit $(g rev-parse HEAD) of refs/heads/main"

	# The same commit again is the same release, and is there already.
	exits 0 in_repo build --again 1 # (of no commit: of build 1)
	says "v0.0.1 does not go to staging"

	echo 'echo one is wrong; exit 3' >"$R/test.sh"
	commit Second
	exits 10 in_repo build --to staging
	says "one is wrong"
	says "It ended with exit code 3."
	says "Nothing went out"
	is v0.0.1 live_in staging
	is skipped build_of 3 '.stages[] | select(.stage == "package") | .state'
	exits 0 davit audit --verify
}

@test "a push builds, and its branch or tag says where the release goes" {
	up
	exits 0 in_repo remote
	says "git push davit HEAD"
	exits 0 g push davit main
	says "main goes to staging when it passes."
	says "staging: rollout 1"
	wait_for 20 "v0.0.1 in staging" holds v0.0.1 live_in staging
	is refs/heads/main build_of 1 .ref

	echo 1 >"$R/more"
	commit 'A feature'
	exits 0 g push davit HEAD:feature/one
	says "feature/one is kept; no environment"
	says "trigger: { branch: feature/one }"
	exits 3 davit builds 2

	# An annotated tag; its release is called so.
	g tag -a -m 'The first' v1.0.0
	exits 0 g push davit v1.0.0
	says "v1.0.0 goes to prod when it passes."
	says "release v1.0.0"
	wait_for 30 "v1.0.0 in prod" holds v1.0.0 live_in prod

	# What is wrong is said in the push, which stands.
	echo 'app: shop' >"$R/davit.yaml"
	commit 'Broken'
	exits 0 g push davit main
	says "davit.yaml"
	says "is not built"
	is "$(g rev-parse HEAD)" git -C "$T/state/repositories/shop.git" rev-parse main
}

@test "who wrote the commit does not count among those who say yes" {
	local who
	for who in ann bob; do ssh-keygen -q -t ed25519 -N '' -C "$who" -f "$T/$who" </dev/null; done
	fingerprint() { ssh-keygen -l -f "$T/$1.pub" | awk '{ print $2 }'; }
	cat >"$T/server.yaml" <<-YAML
		people:
		  ann: ["ssh:$(fingerprint ann)", "mail:ann@example.com"]
		  bob: ["ssh:$(fingerprint bob)", "mail:bob@example.com"]
		groups: { managers: [ann, bob] }
		protect: { shop/prod: { approve: { by: [managers] } } }
	YAML
	up --server "$T/server.yaml"
	exits 0 in_repo build --to prod
	gated() { davit why prod --json | jq -r .state; }
	wait_for 10 "the question" holds gated gated
	davit approve prod --key "$T/ann" --yes || true
	is gated gated
	exits 0 davit approve prod --key "$T/bob" --yes
	wait_for 20 "v0.0.1 in prod" holds v0.0.1 live_in prod

	# Not by other letters, and nobody where it cannot be told.
	g -c user.email=Ann@Example.COM commit -q --allow-empty -m 'In capitals'
	echo 2 >"$R/n" && pipeline '  unit: { run: "sh test.sh" }
  package: { needs: [unit], archive: [app, n] }'
	g add -A && g -c user.email=Ann@Example.COM commit -q -m 'In capitals'
	exits 0 in_repo build --to prod
	wait_for 10 "the question" holds gated gated
	davit approve prod --key "$T/ann" --yes || true
	is gated gated
	exits 0 davit reject prod --key "$T/bob" -m no
	echo 3 >"$R/n"
	g add -A && g -c user.email="$(printf 'a%.0s' {1..300})@example.com" commit -q -m 'A long address'
	exits 0 in_repo build --to prod
	wait_for 10 "the question" holds gated gated
	davit approve prod --key "$T/ann" --yes || true
	davit approve prod --key "$T/bob" --yes || true
	is gated gated
}

@test "a repository is one application's" {
	up
	exits 0 in_repo remote
	sed -i 's/^app: shop/app: other/' "$R/davit.yaml"
	commit 'Another application'
	exits 0 g push davit main
	says "this is the repository of shop"
	exits 3 davit builds 1
	is post-receive ls "$T/state/repositories/shop.git/hooks"
}

@test "a failed test is seen in the push, and nothing goes out" {
	up
	exits 0 in_repo remote
	printf 'echo before it fails\nexit 1\n' >"$R/test.sh"
	commit Bad
	exits 0 g push davit main
	says "unit    | before it fails"
	says "✖ failed     unit"
	says "Nothing went out"
	is 0 rollouts_of staging
}

@test "names and messages that mean harm are only text" {
	up
	exits 0 in_repo remote
	# shellcheck disable=SC2016
	local evil='$(touch '$T'/evil);`touch '$T'/evil`;"; touch '$T'/evil #' i
	GIT_AUTHOR_NAME="$evil" GIT_AUTHOR_EMAIL='--exec=sh' g commit -q --allow-empty -m "--upload-pack=touch $T/evil"
	exits 0 g push davit main
	is "--upload-pack=touch $T/evil" build_of 1 .subject
	python3 - "$R/.git" <<-'PY'
		import random, subprocess, sys
		random.seed(7)
		git = ["git", "--git-dir", sys.argv[1]]
		head = subprocess.check_output(git + ["rev-parse", "HEAD"], text=True).strip()
		parts = ["$(id)", "`id`", ";id", "|id", "&id", "'", '"', "--exec=x", "%s", "%n", "é", "\u202e", "<b>", "{x}", "#", "!", "=", ",", "@x", "-"]
		made = 0
		while made < 200:
		    name = "x" + "".join(random.choice(parts) for _ in range(random.randint(1, 4)))
		    kind = random.choice(["heads", "tags"])
		    made += subprocess.run(git + ["update-ref", f"refs/{kind}/{name}", head], stderr=subprocess.DEVNULL).returncode == 0
	PY
	g push davit --all >"$T/pushed" 2>&1
	g push davit --tags >>"$T/pushed" 2>&1
	# Each of them was looked at and told, none as it is: what davit itself says of it is printable.
	is "$(g for-each-ref refs/heads refs/tags | grep -vc 'refs/heads/main$')" grep -cE '^remote: .* is (kept|not built)' "$T/pushed"
	is 0 sh -c "grep '^remote: ' '$T/pushed' | grep -cP '[\\x00-\\x08\\x0b-\\x1f\\x7f]|\\x{202e}' || true"
	exits 0 davit builds --limit 1000 --json
	[ ! -e "$T/evil" ]
	# No tag of them begins with v, no branch is main.
	is 1 jq -r '.builds | length' <<<"$output"
}

@test "the server is killed in the middle of a build: it goes on, and goes out once" {
	pipeline "  unit: { run: \"echo it waits; until [ -e go ]; do sleep 0.1; done\" }
  package: { needs: [unit], archive: [app] }"
	commit Waits
	up
	in_repo build --to staging >"$T/build.out" 2>&1 &
	wait_for 20 "the stage to run" holds running build_of 1 '.stages[] | select(.stage == "unit") | .state'
	local sandboxes
	wait_for 10 "its sandbox" waits_in_it
	sandboxes=$(sandboxes)
	kill -9 "$(pgrep -f "davit controller --state $T/state")"
	wait_for 20 "the controller" controller_is_back
	wait_for 20 "the stage to run again" holds running build_of 1 '.stages[] | select(.stage == "unit") | .state'
	wait_for 20 "the sandbox of the first one to be gone" holds "$sandboxes" sandboxes
	exits 0 davit build --cancel 1
	wait_for 20 "it to be cancelled" holds cancelled build_of 1 .state
	is 0 rollouts_of staging

	pipeline "  unit: { run: sleep 2 }
  package: { needs: [unit], archive: [app] }"
	commit Sleeps
	in_repo build --to staging >"$T/build.out" 2>&1 &
	wait_for 20 "the stage to run" holds running build_of 2 '.stages[] | select(.stage == "unit") | .state'
	kill -9 "$(pgrep -f "davit controller --state $T/state")"
	wait_for 20 "the controller" controller_is_back
	wait_for 30 "the build to pass" holds passed build_of 2 .state
	wait_for 20 "v0.0.1 in staging" holds v0.0.1 live_in staging
	is 1 rollouts_of staging
	wait_for 10 "the one who follows to see it" grep -q "staging: rollout 1" "$T/build.out"
	[ ! -e "$T/state/builds/apps/shop/run" ]
}

@test "stages, builders and servers are killed at random: each build ends, none goes out twice, nothing is left" {
	local kills=${KILLS:-12} builders=() i victim follower number deployed said went_on=0
	pipeline "  unit: { run: \"i=0; while [ \$i -lt 8 ]; do sleep 0.1; i=\$((i + 1)); done\" }
  lint: { run: \"head -c 16 /dev/urandom | od -An -tx1; sleep 0.3\" }
  package: { needs: [unit, lint], archive: [app, n] }"
	up
	for ((i = 1; i <= kills; i++)); do
		echo "$i" >"$R/n"
		commit "Number $i"
		in_repo build --to staging >"$T/build.$i" 2>&1 &
		follower=$!
		wait_for 20 "build $i to be there" build_of "$i" .state
		sleep "0.$((RANDOM % 10))$((RANDOM % 10))" # the random point; nothing is synchronised by it
		mapfile -t -O "${#builders[@]}" builders < <(pgrep -f "davit builder $T/state")
		# Each run of it says something else: once it has passed, there is no other.
		said=''
		[ "$(build_of "$i" '.stages[] | select(.stage == "lint") | .state')" != passed ] || said=$(davit logs "build/$i/lint")
		case $((RANDOM % 3)) in
		0) victim=$(pgrep -f "davit controller --state $T/state") ;;
		1) victim=$(pgrep -f "davit builder $T/state" | head -n 1) ;;
		2) victim=$(pgrep -f "bwrap .*$T/" | shuf -n 1) ;;
		esac
		[ -z "$victim" ] || kill -9 "$victim" 2>/dev/null || true
		wait_for 20 "the controller" controller_is_back
		wait_for 40 "build $i to end" holds true build_of "$i" '.ended_unix_ms > 0'
		wait "$follower" || true
		[ -z "$said" ] || { is "$said" davit logs "build/$i/lint" && went_on=$((went_on + 1)); }
	done
	echo "$went_on of them when a stage had passed already"
	exits 0 davit builds --limit 100 --json
	is "$kills" jq '.builds | length' <<<"$output"
	is 0 jq '[.builds[] | select(.state != "passed" and .state != "failed")] | length' <<<"$output"
	# What passed went out once, in its order; what failed did not.
	deployed=0
	for ((number = 1; number <= kills; number++)); do
		case $(build_of "$number" .state) in
		passed)
			is 1 build_of "$number" '.rollouts | map(select(.rollout > 0)) | length'
			deployed=$((deployed + 1))
			;;
		failed) is 0 build_of "$number" '.rollouts | length' ;;
		esac
	done
	echo "$deployed of $kills passed"
	((deployed > 0))
	wait_for 20 "the sandboxes to be gone" holds 0 sandboxes
	# What a killed builder left the next one takes away.
	echo last >"$R/n"
	commit Last
	exits 0 in_repo build
	[ ! -e "$T/state/builds/apps/shop/run" ]
	is '' cgroups "${builders[@]}"
	exits 0 davit audit --verify
}

@test "a thousand orders wait in their place, and cost nothing" {
	local before after
	pipeline "  unit: { run: sleep 600, timeout: 20m }
  package: { needs: [unit], archive: [app] }"
	commit Waits
	up
	pid=$(pgrep -f "davit controller --state $T/state")
	in_repo build >"$T/build.out" 2>&1 &
	wait_for 20 "the first one to run" holds running build_of 1 '.stages[] | select(.stage == "unit") | .state'
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	python3 - "$R/.git" "$(g rev-parse HEAD)" "$T/state/api.sock" <<-'PY'
		import http.client, json, socket, sys
		class Local(http.client.HTTPConnection):
		    def connect(self):
		        self.sock = socket.socket(socket.AF_UNIX)
		        self.sock.connect(sys.argv[3])
		api = Local("davit")
		for i in range(2, 1001):
		    api.request("POST", "/v1/builds", json.dumps({"app": "shop", "repository": sys.argv[1], "commit": sys.argv[2], "ref": f"refs/heads/b{i}"}),
		        {"Content-Type": "application/json"})
		    answer = api.getresponse()
		    assert json.load(answer)["number"] == i, i
		# The same order twice has one place.
		api.request("POST", "/v1/builds", json.dumps({"app": "shop", "repository": sys.argv[1], "commit": sys.argv[2], "ref": "refs/heads/b7"}),
		    {"Content-Type": "application/json"})
		assert json.load(api.getresponse())["number"] == 7
	PY
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	echo "memory: $before kB, then $after kB"
	((after - before < 4096))
	exits 0 davit status
	exits 0 davit build --cancel 2
	exits 0 davit build --cancel 1
	wait_for 20 "the third to run" holds running build_of 3 .state
	is queued build_of 4 .state
	is cancelled build_of 2 .state
}

@test "what docs/how-to/push-to-deploy.md tells people to type does what it says" {
	local top page name
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	page=docs/how-to/push-to-deploy.md
	for name in project push tag build again; do
		python3 - "$top/$page" "$name" <<-'PY' | sed "s/8080/$PORT/; s/8082/$STAGING_PORT/" >"$T/block.$name"
			import re, sys
			found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
			print(found[0], end="") if len(found) == 1 else sys.exit("not one block")
		PY
	done
	[ "$(grep -c '<!-- run:' "$top/$page")" = 5 ]
	run_block() { (cd "$1" && exec env PATH="$BUILD:$PATH" bash -e "$T/block.$2") >"$T/said.$2" 2>&1 </dev/null 3>&- || { cat "$T/said.$2"; false; }; }
	up
	run_block "$T" project
	run_block "$T/greet" push
	grep -q 'v0.0.1 → staging: rollout 1' "$T/said.push"
	run_block "$T/greet" tag
	grep -q 'release v1.0.0' "$T/said.tag"
	run_block "$T/greet" build
	grep -q 'passed     build 1' "$T/said.build"
	run_block "$T/greet" again
	grep -q 'taken      unit .*from build 1' "$T/said.again"
	is hello curl -s "http://127.0.0.1:$PORT/"
}

@test "a build that was cancelled stays so, though the server is killed before it has ended" {
	# The script does not hear TERM: between the cancel and the end there is time.
	pipeline "  unit: { run: \"trap '' TERM; i=0; while [ \$i -lt 20 ]; do sleep 0.2; i=\$((i + 1)); done\" }
  package: { needs: [unit], archive: [app] }"
	commit Deaf
	up
	in_repo build --to staging >"$T/build.out" 2>&1 &
	wait_for 20 "the stage to run" holds running build_of 1 '.stages[] | select(.stage == "unit") | .state'
	exits 0 davit build --cancel 1
	is cancelling build_of 1 .state
	kill -9 "$(pgrep -f "davit controller --state $T/state")"
	wait_for 20 "the controller" controller_is_back
	wait_for 20 "it to be cancelled" holds cancelled build_of 1 .state
	exits 5 davit build --cancel 1
	# The next order of the same commit is a build of its own, and the only one that goes out.
	exits 0 in_repo build --to staging
	is passed build_of 2 .state
	is cancelled build_of 1 .state
	is 1 rollouts_of staging
	wait_for 10 "the sandboxes to be gone" holds 0 sandboxes
	[ ! -e "$T/state/builds/shop/run" ]
}

@test "a repository of somebody else is built; one that is not there is one sentence" {
	[ "$(id -u)" = 0 ] || skip "only root can give a repository away"
	local commit
	commit=$(g rev-parse HEAD)
	chown -R 12345:12345 "$R"
	up
	order "$R/.git" "$commit" | jq -e '.number == 1'
	wait_for 20 "it to pass" holds passed build_of 1 .state
	is 12345 stat -c %u "$R/.git/objects" # nothing of it was touched
	order "$T/none" "$commit" | jq -e '.number == 2'
	wait_for 20 "it to fail" holds failed build_of 2 .state
	is "There is no commit ${commit:0:12} in $T/none, or the server may not read it." build_of 2 .why
	is invalid jq -r .error <<<"$(order none "$commit")"
	is invalid jq -r .error <<<"$(order "$R/.git" "--$commit")"
}
# order REPOSITORY COMMIT: as a program would
order() {
	curl -s --max-time 10 --unix-socket "$T/state/api.sock" -H 'Content-Type: application/json' \
		--data "{\"app\":\"shop\",\"repository\":\"$1\",\"commit\":\"$2\",\"ref\":\"refs/heads/main\"}" http://davit/v1/builds
}
