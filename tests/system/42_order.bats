#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A commit is ordered from elsewhere by its name: the server looks for it in its own repository.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	API_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	STAGING_PORT=$(free_port)
	ENVIRONMENT_EXTRA="    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off }"
	EXTRA='pipeline: { unit: { run: cat n }, package: { needs: [unit], archive: [app, n] } }'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=here -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	chmod 600 "$T/key.pem"
	echo "api: { listen: \"127.0.0.1:$API_PORT\", certificate: \"$T/cert.pem\", key: \"$T/key.pem\" }" >"$T/server.yaml"
	BASE=https://127.0.0.1:$API_PORT
	export DAVIT_CA_FILE=$T/cert.pem
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	write_config "$R/davit.yaml"
	cp "$BUILD/tests/system/app" "$R/app"
	commit One
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
commit() {
	echo "$1" >"$R/n"
	g add -A && g commit -q -m "$1"
}
token() {
	local name=$1
	shift
	(umask 077 && davit token create "$name" "$@" >"$T/$name.token" 2>"$T/token.err")
}
with() {
	local name=$1
	shift
	(cd "$T" && env -u DAVIT_STATE DAVIT_TOKEN_FILE="$T/$name.token" DAVIT_HOST="$BASE" "$DAVIT" "$@" </dev/null 3>&-)
}
listens() { [ "$(curl -s --cacert "$T/cert.pem" -o /dev/null -w '%{http_code}' "$BASE/v1/server")" = 401 ]; }
post() {
	curl -s --max-time 10 --cacert "$T/cert.pem" -o "$T/answer" -w '%{http_code}' -H "Authorization: Bearer $(cat "$T/$1.token")" -d "$2" "$BASE/v1/builds"
}
build_of() { davit builds "$1" --json | jq -r "$2"; }
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }

@test "by branch, by tag, by the beginning of an id: built over the network, followed, and sent where the token may" {
	up --server "$T/server.yaml"
	wait_for 10 "the API to listen" listens
	exits 0 env -C "$R" "$DAVIT" remote
	g tag stable-1
	first=$(g rev-parse HEAD)
	commit Two
	two=$(g rev-parse HEAD)
	g push -q davit main stable-1
	token builder --scope build
	token sender --scope build,deploy --for shop/staging

	exits 0 with builder build main --app shop
	says "Build 1: shop at $(g rev-parse HEAD | cut -c1-12)"
	is passed build_of 1 .state
	is "$(g rev-parse HEAD)" build_of 1 .commit
	is refs/heads/main build_of 1 .ref
	is token:builder build_of 1 .by
	is 0 jq '.rollouts | length' <<<"$(davit builds 1 --json)"
	exits 0 with builder build stable-1 --app shop --json
	is "$first" build_of 2 .commit
	is refs/tags/stable-1 build_of 2 .ref
	exits 0 with builder build "${first:0:9}" --app shop
	is "$first" build_of 3 .commit
	is "" build_of 3 .ref

	# Where it goes is another scope, and as far as that reaches.
	exits 4 with builder build main --app shop --to staging
	says "has not the scope deploy"
	exits 4 with sender build main --app shop --to prod
	exits 0 with sender build main --app shop --to staging
	wait_for 20 "it to be in staging" holds "$(build_of 4 .tag)" live_in staging

	# What is not there, no name, or reached by nothing.
	exits 3 with builder build nothing --app shop
	says "has no branch, no tag"
	for bad in --upload-pack=x -x 'a b' 'main~1' '@{1}' '$(x)' "x;y" ':/Two' 'main:davit.yaml' '../x'; do
		is 400 post builder "$(jq -n --arg r "$bad" '{app: "shop", rev: $r}')"
		is invalid jq -r .error "$T/answer"
	done
	commit Lost
	lost=$(g rev-parse HEAD)
	g push -q davit HEAD:refs/heads/lost
	g push -q davit :lost
	is 404 post builder "{\"app\": \"shop\", \"rev\": \"$lost\"}"
	# Only by its name: neither a path of the server, nor a commit that is said to be of a ref.
	is 403 post builder "{\"app\": \"shop\", \"commit\": \"$first\", \"ref\": \"refs/heads/main\"}"
	is 403 post builder "{\"app\": \"shop\", \"repository\": \"$R/.git\", \"commit\": \"$first\"}"
	is 400 post builder "{\"app\": \"shop\", \"repository\": \"$R/.git\", \"rev\": \"main\"}"
	is 403 post sender '{"app": "shop", "rev": "main", "triggered": true}'
	is 404 post builder '{"app": "other", "rev": "main"}'
	exits 2 with builder build --app shop
	says "name a branch, a tag or a commit"
	exits 2 with builder build --local
	says "without a server"
	exits 0 with builder build --again 1
	is 4 jq '.builds | map(select(.by == "token:builder")) | length' <<<"$(davit builds --json)"

	# Who is not named for where it may go has no build of a push made again, which goes where its ref brings it.
	sed -i 's/^    strategy: test/    trigger: { branch: release }\n&/' "$R/davit.yaml"
	commit 'It fails' && sed -i 's/cat n/false/' "$R/davit.yaml"
	commit Fails
	g push -q davit HEAD:refs/heads/release >/dev/null 2>&1
	pushed=$(davit builds --json | jq -r '.builds[0].number')
	is failed build_of "$pushed" .state
	token all --scope build,deploy
	printf '%s\n' 'people: { eve: ["user:eve"] }' 'protect: { shop/prod: { deploy: [eve] } }' >>"$T/server.yaml"
	refused() { [ "$(curl -s --cacert "$T/cert.pem" -o "$T/answer" -w '%{http_code}' -X POST -H "Authorization: Bearer $(cat "$T/all.token")" "$BASE/v1/builds/$pushed/again")" = 403 ]; }
	wait_for 10 "the server's file to count" refused
	grep -q "others are named" "$T/answer"

	# On the server's machine, too.
	exits 0 davit build main --app shop
	is "$two" jq -r '.builds[0].commit' <<<"$(davit builds --json)"
}
