/* SPDX-License-Identifier: Apache-2.0
 * survey_node - packages of Node: what package.json says of its scripts, dependencies and linter. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

static const char *script_of(const json_t *package, const char *name)
{
	return json_string_value(json_object_get(json_object_get(package, "scripts"), name));
}

static bool depends(const json_t *package, const char *on)
{
	static const char *const lists[] = {"dependencies", "devDependencies",
					    "optionalDependencies"};
	for (size_t i = 0; i < 3; i++) {
		const json_t *list = json_object_get(package, lists[i]);
		if (on ? json_object_get(list, on) != NULL : json_object_size(list) > 0)
			return true;
	}
	return false;
}

/* npm ci wants its lock file, and empties node_modules: what is worth keeping is npm's own cache. */
static void install(int dir_fd, const json_t *package, struct survey *s)
{
	struct survey_pipeline *p = &s->pipeline;
	const char *built = script_of(package, "build"), *with = "npm install",
		   *key = "package.json";
	bool npm = !survey_has(dir_fd, "pnpm-lock.yaml") && !survey_has(dir_fd, "yarn.lock");
	if (!npm)
		with = survey_has(dir_fd, "yarn.lock") ? "yarn install --frozen-lockfile"
						       : "pnpm install --frozen-lockfile";
	else if (survey_has(dir_fd, "package-lock.json"))
		with = "npm ci", key = "package-lock.json";
	bool fetches = depends(package, NULL);
	text_copy(s->build, sizeof s->build, fetches ? with : built ? "npm run build" : "");
	/* What a build makes is not known by name, and npm's cache is not to be deployed. */
	bool keeps = npm && !built;
	snprintf(p->compile, sizeof p->compile, "%s%s%s%s", fetches ? with : "",
		 fetches && keeps ? " --cache .npm --prefer-offline" : "",
		 fetches && built ? " && " : "", built ? "npm run build" : "");
	text_copy(p->outputs, sizeof p->outputs, built ? "." : fetches ? "node_modules/" : "");
	if (fetches && keeps) {
		text_copy(p->cache_key, sizeof p->cache_key, key);
		p->cache_paths = ".npm/";
	}
	p->network = fetches;
	if (!npm)
		survey_requires(s, survey_has(dir_fd, "yarn.lock") ? "yarn" : "pnpm",
				"npm install --global, as root, with its prefix in /usr/local");
}

static void add_lint(int dir_fd, const json_t *package, struct survey *s)
{
	static const char *const configs[] = {"eslint.config.js",
					      "eslint.config.mjs",
					      "eslint.config.cjs",
					      "eslint.config.ts",
					      ".eslintrc",
					      ".eslintrc.js",
					      ".eslintrc.cjs",
					      ".eslintrc.json",
					      ".eslintrc.yml",
					      ".eslintrc.yaml",
					      NULL};
	const char *config = survey_first(dir_fd, configs);
	if (script_of(package, "lint")) {
		survey_add(s, "lint", "npm run lint");
	} else if (config) {
		struct survey_stage *lint = survey_add(s, "lint", "npx --no-install eslint .");
		if (!depends(package, "eslint"))
			survey_doubt(lint, "%s is there, but eslint is not among the dependencies",
				     config);
	}
}

static void add_checks(int dir_fd, const json_t *package, struct survey *s)
{
	static const char *const integration[] = {"test:integration", "integration", "test:e2e",
						  "e2e", NULL};
	const char *test = script_of(package, "test");
	char script[SURVEY_SCRIPT_SIZE];
	add_lint(dir_fd, package, s);
	if (test && !strstr(test, "no test specified")) /* what npm init writes, which fails */
		survey_add(s, "unit", "npm test");
	for (const char *const *name = integration; *name; name++)
		if (script_of(package, *name)) {
			snprintf(script, sizeof script, "npm run %s", *name);
			survey_add_integration(dir_fd, s, script);
			break;
		}
	if (survey_has(dir_fd, "package-lock.json") && depends(package, NULL)) {
		struct survey_stage *scan = survey_add(s, "scan", "npm audit --audit-level=high");
		survey_doubt(scan, "it asks npm's registry, and fails when a flaw becomes known "
				   "without any change here");
		if (scan)
			scan->network = scan->alone = true;
	}
}

/* The start script itself, not npm, which does not hand signals on to it. */
/* Does the script begin with node, or with a file that is there? Nothing else is found without npm's shell. */
static bool names_program(int dir_fd, const char *script)
{
	char word[SURVEY_RUN_SIZE];
	snprintf(word, sizeof word, "%.*s", (int)strcspn(script, " \t"), script);
	return strcmp(word, "node") == 0 || (strchr(word, '/') && survey_has(dir_fd, word));
}

/* What has to stand before it. */
static const char *way_to(int dir_fd, const char *script)
{
	size_t size = strcspn(script, " \t");
	if (names_program(dir_fd, script))
		return "";
	return memchr(script, '=', size) ? "env " : "node_modules/.bin/";
}

bool survey_node(int dir_fd, struct survey *s)
{
	struct buf text;
	bool found = survey_read(dir_fd, "package.json", &text);
	if (found) {
		json_t *package = json_loadb(buf_text(&text), text.size, 0, NULL);
		const char *start = script_of(package, "start"),
			   *main = json_string_value(json_object_get(package, "main"));
		s->kind = "node";
		s->seen = "package.json";
		survey_archive(s, ".");
		install(dir_fd, package, s);
		add_checks(dir_fd, package, s);
		bool plain = start && !strpbrk(start, "&|;<>$`\n");
		s->sure = plain && names_program(dir_fd, start);
		if (plain)
			snprintf(s->run, sizeof s->run, "%s%s", way_to(dir_fd, start), start);
		else
			snprintf(s->run, sizeof s->run, "node %s",
				 main && !strpbrk(main, " \n") ? main : "server.js");
		json_decref(package);
		survey_requires(s, "node", "apt-get install nodejs npm");
	}
	buf_done(&text);
	return found;
}
