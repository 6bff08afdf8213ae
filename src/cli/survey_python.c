/* SPDX-License-Identifier: Apache-2.0
 * survey_python - programs of Python: what is installed for them, what serves them, what tests them.
 *
 * What requirements and pyproject.toml ask for comes into a virtual environment in .venv, which goes on to the other
 * stages and is deployed. Its interpreter is a copy: a link to the machine's would lead out of the release. */
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

struct needs {
	char text[4 *
		  SURVEY_FILE_MAX]; /* of requirements and pyproject.toml, one after the other */
	char installed[2 * SURVEY_FILE_MAX]; /* the parts of it that pip is told of */
	char install[SURVEY_SCRIPT_SIZE / 2], files[SURVEY_PATHS_SIZE];
	bool any;
};

/* Is there a requirement of this name, at the beginning of a line or of a quoted text? */
static bool names(const char *text, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = text; (at = strstr(at, name)); at += length) {
		char before = at == text ? '\n' : at[-1], after = at[length];
		bool longer = (after >= 'a' && after <= 'z') || after == '_' || after == '.';
		if (strchr("\n\"'", before) && !longer)
			return true;
	}
	return false;
}

static bool asks_for(const struct needs *needs, const char *name)
{
	return names(needs->installed, name);
}

static void append(char *to, size_t size, const char *text, size_t length)
{
	size_t used = strlen(to);
	snprintf(to + used, size - used, "\n%.*s", (int)length, text);
}

static void add_need(struct needs *needs, const char *file, const char *option, const char *what)
{
	size_t used = strlen(needs->install), named = strlen(needs->files);
	snprintf(needs->install + used, sizeof needs->install - used, "%s%s", option, what);
	snprintf(needs->files + named, sizeof needs->files - named, "%s%s", named > 0 ? ", " : "",
		 file);
	needs->any = true;
}

/* A section of a TOML file, from its title to the next one; returns its length. */
static size_t section(const char *text, const char *title, const char **ret_at)
{
	const char *at = strstr(text, title);
	*ret_at = at ? at : "";
	const char *end = at ? strstr(at + 1, "\n[") : NULL;
	return end ? (size_t)(end - at) : strlen(*ret_at);
}

/* The extra that tests need, as ".[test]"; what it lists is installed. */
static void choose_extra(const char *text, struct needs *needs, char what[40])
{
	static const char *const extras[] = {"test", "tests", "dev"};
	const char *optional;
	char line[20];
	size_t length = section(text, "[project.optional-dependencies]", &optional);
	for (size_t i = 0; i < 3; i++) {
		snprintf(line, sizeof line, "\n%s =", extras[i]);
		const char *at = strstr(optional, line), *end = at ? strchr(at, ']') : NULL;
		if (!end || end > optional + length)
			continue;
		snprintf(what, 40, "'.[%s]'", extras[i]);
		append(needs->installed, sizeof needs->installed, at, (size_t)(end - at));
		return;
	}
}

/* A project that says what it depends on, or whose package is below src/, is installed itself. Its groups of
 * dependencies are not: pip of Debian 12 does not know them. */
static void take_project(const char *text, bool source, struct needs *needs)
{
	static const char *const titles[] = {"[project]", "[tool.poetry.dependencies]"};
	const char *parts[2];
	size_t lengths[2];
	char what[40] = ".";
	for (size_t i = 0; i < 2; i++)
		lengths[i] = section(text, titles[i], &parts[i]);
	bool listed = lengths[1] > 0 || strstr(text, "[project.optional-dependencies]");
	const char *depends = strstr(parts[0], "\ndependencies");
	listed = listed || (depends && depends < parts[0] + lengths[0]);
	if (lengths[0] + lengths[1] == 0 || (!source && (needs->any || !listed)))
		return;
	choose_extra(text, needs, what);
	add_need(needs, "pyproject.toml", " ", what);
	for (size_t i = 0; i < 2; i++)
		append(needs->installed, sizeof needs->installed, parts[i], lengths[i]);
}

static void read_pyproject(int dir_fd, struct needs *needs)
{
	struct buf text;
	if (survey_read(dir_fd, "pyproject.toml", &text)) {
		take_project(buf_text(&text), survey_has(dir_fd, "src"), needs);
		append(needs->text, sizeof needs->text, buf_text(&text), text.size);
	}
	buf_done(&text);
}

static void read_needs(int dir_fd, struct needs *needs)
{
	static const char *const files[] = {"requirements.txt",      "requirements-dev.txt",
					    "dev-requirements.txt",  "requirements_dev.txt",
					    "test-requirements.txt", "requirements-test.txt"};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct buf text;
		if (survey_read(dir_fd, files[i], &text)) {
			append(needs->text, sizeof needs->text, buf_text(&text), text.size);
			append(needs->installed, sizeof needs->installed, buf_text(&text),
			       text.size);
			add_need(needs, files[i], " -r ", files[i]);
		}
		buf_done(&text);
	}
	read_pyproject(dir_fd, needs);
}

static bool has_tests(int dir_fd, const char *directory)
{
	char path[SURVEY_RUN_SIZE];
	return survey_find(dir_fd, directory, "test_", ".py", path) ||
	       survey_find(dir_fd, directory, "", "_test.py", path);
}

/* In the directory, or in one of those in it. */
static bool has_tests_below(int dir_fd, const char *directory)
{
	int fd = openat(dir_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	bool found = dir && has_tests(dir_fd, directory);
	for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
		found = entry->d_name[0] != '.' && has_tests(fd, entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

static void add_pytest(int dir_fd, struct survey *s, const struct needs *needs, const char *python)
{
	bool apart = has_tests(dir_fd, "tests/integration");
	char script[SURVEY_SCRIPT_SIZE];
	struct survey_stage *unit = survey_add(s, "unit", "%s -m pytest%s", python,
					       apart ? " --ignore=tests/integration" : "");
	if (!asks_for(needs, "pytest"))
		survey_doubt(unit,
			     "pytest is not among what is installed: requirements-dev.txt, or "
			     "an extra called test or dev, would have it");
	if (!has_tests(dir_fd, ".") && !has_tests_below(dir_fd, "tests") &&
	    !has_tests_below(dir_fd, "test"))
		survey_doubt(unit,
			     "there is no test_*.py yet, and pytest fails where it finds none");
	snprintf(script, sizeof script, "%s -m pytest tests/integration", python);
	if (apart && !unit->why[0])
		survey_add_integration(dir_fd, s, script);
}

static void add_tests(int dir_fd, struct survey *s, const struct needs *needs, const char *python)
{
	char path[SURVEY_RUN_SIZE];
	if (strcmp(s->seen, "manage.py") == 0)
		survey_add(s, "unit", "%s manage.py test", python);
	else if (names(needs->text, "pytest") || strstr(needs->text, "[tool.pytest"))
		add_pytest(dir_fd, s, needs, python);
	else if (survey_find(dir_fd, ".", "test", ".py", path) ||
		 survey_has(dir_fd, "tests/__init__.py"))
		survey_add(s, "unit", "%s -m unittest", python);
	else if (survey_find(dir_fd, "tests", "test", ".py", path))
		survey_add(s, "unit", "%s -m unittest discover -s tests", python);
}

static bool mentions(int dir_fd, const char *file, const char *words)
{
	struct buf text;
	bool found = survey_read(dir_fd, file, &text) && strstr(buf_text(&text), words);
	buf_done(&text);
	return found;
}

/* A tool of the virtual environment, else of the machine, else a stage that is a comment. Only that of the machine is
 * there already and can be tried. */
static void add_tool(int dir_fd, struct survey *s, const struct needs *needs, const char *stage,
		     const char *tool, const char *arguments)
{
	struct survey_stage *added;
	if (needs->any && asks_for(needs, tool)) {
		survey_add(s, stage, ".venv/bin/%s %s", tool, arguments);
		return;
	}
	added = survey_add(s, stage, "%s %s", tool, arguments);
	if (!added)
		return;
	added->alone = true;
	if (!survey_stage_finds(tool))
		survey_doubt(added,
			     "%s is configured, but neither among the requirements nor installed "
			     "below /usr",
			     tool);
	survey_try(dir_fd, added, added->run, added->run);
}

/* What flake8 runs of a project's own (plugins) stands in its configuration, which only flake8 reads as flake8 does. */
static void add_flake8(int dir_fd, struct survey *s)
{
	static const char *const files[] = {".flake8", "setup.cfg", "tox.ini"};
	bool configured = false;
	for (size_t i = 0; i < 3; i++)
		configured = configured || mentions(dir_fd, files[i], "[flake8]");
	if (configured)
		survey_doubt(survey_add(s, "lint", "flake8 --extend-exclude .venv"),
			     "flake8 may run plugins of this repository, and was not tried");
}

static void add_linters(int dir_fd, struct survey *s, const struct needs *needs)
{
	if (survey_has(dir_fd, "ruff.toml") || survey_has(dir_fd, ".ruff.toml") ||
	    strstr(needs->text, "[tool.ruff"))
		add_tool(dir_fd, s, needs, "lint", "ruff", "check .");
	else
		add_flake8(dir_fd, s);
	if (strstr(needs->text, "[tool.bandit"))
		add_tool(dir_fd, s, needs, "scan", "bandit",
			 "--quiet -lll -c pyproject.toml -x ./.venv -r .");
	else if (survey_has(dir_fd, ".bandit") || asks_for(needs, "bandit"))
		add_tool(dir_fd, s, needs, "scan", "bandit", "--quiet -lll -x ./.venv -r .");
}

/* The package of a Django project: manage.py names its settings. */
static void name_django(int dir_fd, const char *app, char name[100])
{
	static const char variable[] = "DJANGO_SETTINGS_MODULE";
	struct buf text;
	text_copy(name, 100, app);
	if (survey_read(dir_fd, "manage.py", &text)) {
		const char *at = strstr(buf_text(&text), variable);
		at = at ? at + strlen(variable) : "";
		at += strspn(at, "'\", \t\n]=");
		size_t length = strcspn(at, ".'\"");
		if (length > 0 && length < 100 && at[length] == '.')
			snprintf(name, 100, "%.*s", (int)length, at);
		if (!survey_is_plain(name))
			text_copy(name, 100, app);
	}
	buf_done(&text);
}

static void guess_command(int dir_fd, struct survey *s, const struct needs *needs,
			  const char *python)
{
	const char *module = survey_has(dir_fd, "main.py") ? "main" : "app";
	char django[100];
	name_django(dir_fd, s->app, django);
	if (strcmp(s->seen, "manage.py") == 0)
		snprintf(s->run, sizeof s->run, "%s -m gunicorn --bind 127.0.0.1:$PORT %s.wsgi",
			 python, django);
	else if (asks_for(needs, "uvicorn") || asks_for(needs, "fastapi"))
		snprintf(s->run, sizeof s->run,
			 "%s -m uvicorn --host 127.0.0.1 --port $PORT %s:app", python, module);
	else if (asks_for(needs, "gunicorn"))
		snprintf(s->run, sizeof s->run, "%s -m gunicorn --bind 127.0.0.1:$PORT %s:app",
			 python, module);
	else if (asks_for(needs, "flask") || asks_for(needs, "Flask"))
		snprintf(s->run, sizeof s->run, "%s -m flask --app %s run --port $PORT", python,
			 module);
	else
		snprintf(s->run, sizeof s->run, "%s %s.py", python, module);
}

/* Debian has what a virtual environment is made with in a package of its own. */
static void require_venv(struct survey *s)
{
	glob_t found = {0};
	if (glob("/usr/lib/python3*/ensurepip", 0, NULL, &found) != 0 &&
	    glob("/usr/local/lib/python3*/ensurepip", 0, NULL, &found) != 0)
		survey_say(s,
			   "The stages make a virtual environment, and Python's ensurepip is not "
			   "installed below /usr: apt-get install python3-venv.");
	globfree(&found);
}

static void install(struct survey *s, const struct needs *needs)
{
	struct survey_pipeline *p = &s->pipeline;
	snprintf(s->build, sizeof s->build,
		 "python3 -m venv --copies .venv && .venv/bin/pip install%s", needs->install);
	snprintf(p->compile, sizeof p->compile,
		 "python3 -m venv --copies .venv && .venv/bin/pip install --cache-dir .pip-cache%s",
		 needs->install);
	text_copy(p->outputs, sizeof p->outputs, ".venv/");
	text_copy(p->cache_key, sizeof p->cache_key, needs->files);
	p->cache_paths = ".pip-cache/";
	p->network = true;
	require_venv(s);
}

bool survey_python(int dir_fd, struct survey *s)
{
	static const char *const files[] = {"manage.py", "pyproject.toml", "requirements.txt",
					    "app.py",    "main.py",        NULL};
	const char *seen = survey_first(dir_fd, files);
	if (!seen)
		return false;
	struct needs *needs = mem_zero(1, sizeof *needs);
	read_needs(dir_fd, needs);
	const char *python = needs->any ? ".venv/bin/python3" : "python3";
	s->kind = "python";
	s->seen = seen;
	if (needs->any)
		install(s, needs);
	survey_archive(s, ".");
	guess_command(dir_fd, s, needs, python);
	add_linters(dir_fd, s, needs);
	add_tests(dir_fd, s, needs, python);
	survey_requires(s, "python3", "apt-get install python3 python3-venv");
	free(needs);
	return true;
}
