/* SPDX-License-Identifier: Apache-2.0
 * survey_python - programs of Python: what is installed for them, what serves them, what tests them.
 *
 * What requirements and pyproject.toml ask for comes into a virtual environment in .venv, which goes on to the other
 * stages and is deployed. Its interpreter is a copy: a link to the machine's would lead out of the release. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

struct needs {
	char text[4 * SURVEY_FILE_MAX]; /* of all files, one after the other */
	char install[SURVEY_SCRIPT_SIZE / 2], files[SURVEY_PATHS_SIZE];
	bool any;
};

/* Is there a requirement of this name, at the beginning of a line or of a quoted text? */
static bool asks_for(const struct needs *needs, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = needs->text; (at = strstr(at, name)); at += length) {
		char before = at == needs->text ? '\n' : at[-1], after = at[length];
		bool longer = (after >= 'a' && after <= 'z') || after == '_' || after == '.';
		if (strchr("\n\"'", before) && !longer)
			return true;
	}
	return false;
}

static void add_need(struct needs *needs, const char *file, const char *option, const char *what)
{
	size_t used = strlen(needs->install), named = strlen(needs->files);
	snprintf(needs->install + used, sizeof needs->install - used, "%s%s", option, what);
	snprintf(needs->files + named, sizeof needs->files - named, "%s%s", named > 0 ? ", " : "",
		 file);
	needs->any = true;
}

/* A project that says what it depends on, or whose package is below src/, is installed itself. */
static void read_pyproject(int dir_fd, struct needs *needs)
{
	static const char *const extras[] = {"test", "tests", "dev"};
	struct buf text;
	if (survey_read(dir_fd, "pyproject.toml", &text)) {
		const char *said = buf_text(&text);
		const char *optional = strstr(said, "[project.optional-dependencies]");
		char what[40] = ".", line[20];
		for (size_t i = 0; optional && i < 3 && !what[1]; i++) {
			snprintf(line, sizeof line, "\n%s =", extras[i]);
			if (strstr(optional, line))
				snprintf(what, sizeof what, "'.[%s]'", extras[i]);
		}
		bool project = strstr(said, "[project]") || strstr(said, "[tool.poetry]");
		bool wanted =
			survey_has(dir_fd, "src") || (!needs->any && strstr(said, "dependencies"));
		if (project && wanted)
			add_need(needs, "pyproject.toml", " ", what);
		size_t used = strlen(needs->text);
		snprintf(needs->text + used, sizeof needs->text - used, "\n%s", said);
	}
	buf_done(&text);
}

static void read_needs(int dir_fd, struct needs *needs)
{
	static const char *const files[] = {"requirements.txt",      "requirements-dev.txt",
					    "dev-requirements.txt",  "requirements_dev.txt",
					    "test-requirements.txt", "requirements-test.txt"};
	needs->text[0] = needs->install[0] = needs->files[0] = '\0';
	needs->any = false;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct buf text;
		size_t used = strlen(needs->text);
		if (survey_read(dir_fd, files[i], &text)) {
			snprintf(needs->text + used, sizeof needs->text - used, "\n%s",
				 buf_text(&text));
			if (strlen(needs->files) + strlen(files[i]) + 20 < sizeof needs->files)
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

static void add_pytest(int dir_fd, struct survey *s, const char *python)
{
	static const char *const places[] = {".", "tests", "test", "tests/unit"};
	bool apart = has_tests(dir_fd, "tests/integration"), any = apart;
	char script[SURVEY_SCRIPT_SIZE];
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		any = any || has_tests(dir_fd, places[i]);
	struct survey_stage *unit = survey_add(s, "unit", "%s -m pytest%s", python,
					       apart ? " --ignore=tests/integration" : "");
	if (!any)
		survey_doubt(unit,
			     "there is no test_*.py yet, and pytest fails where it finds none");
	snprintf(script, sizeof script, "%s -m pytest tests/integration", python);
	if (apart)
		survey_add_integration(dir_fd, s, script);
}

static void add_tests(int dir_fd, struct survey *s, const struct needs *needs, const char *python)
{
	char path[SURVEY_RUN_SIZE];
	if (strcmp(s->seen, "manage.py") == 0)
		survey_add(s, "unit", "%s manage.py test", python);
	else if (asks_for(needs, "pytest"))
		add_pytest(dir_fd, s, python);
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

/* flake8 would run what a project names as its own plugins. */
static void add_flake8(int dir_fd, struct survey *s, const struct needs *needs)
{
	static const char *const files[] = {".flake8", "setup.cfg", "tox.ini"};
	bool configured = false, plugins = false;
	for (size_t i = 0; i < 3; i++) {
		configured = configured || mentions(dir_fd, files[i], "[flake8]");
		plugins = plugins || mentions(dir_fd, files[i], "flake8:local-plugins");
	}
	if (configured && plugins)
		survey_doubt(survey_add(s, "lint", "flake8 --extend-exclude .venv"),
			     "flake8 has plugins of this repository, and was not tried");
	else if (configured)
		add_tool(dir_fd, s, needs, "lint", "flake8", "--extend-exclude .venv");
}

static void add_linters(int dir_fd, struct survey *s, const struct needs *needs)
{
	if (survey_has(dir_fd, "ruff.toml") || survey_has(dir_fd, ".ruff.toml") ||
	    strstr(needs->text, "[tool.ruff"))
		add_tool(dir_fd, s, needs, "lint", "ruff", "check .");
	else
		add_flake8(dir_fd, s, needs);
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
