/* SPDX-License-Identifier: Apache-2.0
 * survey - see survey.h for the contract. One function a kind; the first that recognises its own wins, so what
 *          says most about how to start the program comes first. */
#include "cli/survey.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/survey_kinds.h"
#include "os/file.h"

bool survey_read(int dir_fd, const char *name, struct buf *to)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char part[4096];
	ssize_t n = 0;
	buf_init(to, SURVEY_FILE_MAX + 1);
	while (fd >= 0 && to->size < SURVEY_FILE_MAX && (n = read(fd, part, sizeof part)) > 0)
		buf_append(to, part, (size_t)n);
	buf_puts(to, "");
	return fd >= 0 && n >= 0;
}

bool survey_has(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

/* The word after `before`, without quotes: `name = "shop"` after "name". */
static bool word_after(const char *text, const char *before, char *to, size_t size)
{
	const char *at = strstr(text, before);
	if (!at)
		return false;
	at += strlen(before);
	at += strspn(at, " \t\n=:'\"(");
	size_t length = strcspn(at, " \t\r\n'\",)");
	if (length == 0 || length >= size)
		return false;
	memcpy(to, at, length);
	to[length] = '\0';
	return true;
}

void survey_archive(struct survey *s, const char *path)
{
	if (*path && !strpbrk(path, "'\"\\ \t,[]{}#&*!|>%@`"))
		text_copy(s->pipeline.archive, sizeof s->pipeline.archive, path);
}

static bool survey_go(int dir_fd, struct survey *s)
{
	struct buf text;
	char module[200];
	bool found = survey_read(dir_fd, "go.mod", &text);
	if (found) {
		bool named = word_after(buf_text(&text), "module", module, sizeof module);
		const char *slash = named ? strrchr(module, '/') : NULL;
		snprintf(s->run, sizeof s->run, "./%s",
			 slash   ? slash + 1
			 : named ? module
				 : s->app);
		s->kind = "go";
		s->seen = "go.mod";
		s->build = "go build";
		s->pipeline = (struct survey_pipeline){
			.compile = "go build",
			.test = "go vet ./... && go test ./...",
			.cache_key = survey_has(dir_fd, "vendor") ? NULL : "go.sum",
			.cache_paths = ".go/",
			.variable = "GOPATH: /work/.go, GOFLAGS: -modcacherw",
			.outputs = survey_has(dir_fd, "vendor") ? NULL : ".go/",
			.network = !survey_has(dir_fd, "vendor")};
		survey_archive(s, s->run + 2);
	}
	buf_done(&text);
	return found;
}

static bool survey_rust(int dir_fd, struct survey *s)
{
	struct buf text;
	char name[100];
	bool found = survey_read(dir_fd, "Cargo.toml", &text);
	if (found) {
		bool named = word_after(buf_text(&text), "\nname", name, sizeof name);
		snprintf(s->run, sizeof s->run, "./target/release/%s", named ? name : s->app);
		s->kind = "rust";
		s->seen = "Cargo.toml";
		s->build = "cargo build --release";
		s->pipeline = (struct survey_pipeline){.compile = "cargo build --release",
						       .test = "cargo test --release",
						       .outputs = "target/, .cargo-home/",
						       .cache_key = "Cargo.lock",
						       .cache_paths = ".cargo-home/",
						       .variable = "CARGO_HOME: /work/.cargo-home",
						       .network = true};
		survey_archive(s, s->run + 2);
	}
	buf_done(&text);
	return found;
}

/* The start script itself, not npm, which does not hand signals on to it. */
static bool survey_node(int dir_fd, struct survey *s)
{
	struct buf text;
	bool found = survey_read(dir_fd, "package.json", &text);
	if (found) {
		json_t *package = json_loadb(buf_text(&text), text.size, 0, NULL);
		const char *start = json_string_value(
				   json_object_get(json_object_get(package, "scripts"), "start")),
			   *main = json_string_value(json_object_get(package, "main"));
		s->kind = "node";
		s->seen = "package.json";
		s->build = "npm ci";
		s->pipeline = (struct survey_pipeline){
			.compile = "npm ci",
			.test = json_object_get(json_object_get(package, "scripts"), "test")
					? "npm test"
					: NULL,
			.outputs = "node_modules/",
			.cache_key = "package-lock.json",
			.cache_paths = "node_modules/",
			.network = true};
		survey_archive(s, ".");
		s->sure = start && !strpbrk(start, "&|;<>$`\n");
		if (s->sure)
			snprintf(s->run, sizeof s->run, "%s", start);
		else
			snprintf(s->run, sizeof s->run, "node %s",
				 main && !strpbrk(main, " \n") ? main : "server.js");
		json_decref(package);
	}
	buf_done(&text);
	return found;
}

static bool survey_python(int dir_fd, struct survey *s)
{
	static const char *const files[] = {"manage.py", "pyproject.toml", "requirements.txt",
					    "app.py", "main.py"};
	struct buf text;
	const char *seen = NULL, *module = survey_has(dir_fd, "main.py") ? "main" : "app";
	char needs[2 * SURVEY_FILE_MAX + 8];
	for (size_t i = 0; i < sizeof files / sizeof files[0] && !seen; i++)
		if (survey_has(dir_fd, files[i]))
			seen = files[i];
	if (!seen)
		return false;
	size_t length = 0;
	needs[0] = '\0';
	for (size_t i = 1; i < 3; i++) {
		if (survey_read(dir_fd, files[i], &text))
			length += (size_t)snprintf(needs + length, sizeof needs - length, "%s\n",
						   buf_text(&text));
		buf_done(&text);
	}
	s->kind = "python";
	s->seen = seen;
	s->pipeline.test = strcmp(seen, "manage.py") == 0 ? "python3 manage.py test"
			   : strstr(needs, "pytest")      ? "python3 -m pytest"
							  : "python3 -m unittest";
	survey_archive(s, ".");
	if (strcmp(seen, "manage.py") == 0)
		snprintf(s->run, sizeof s->run,
			 "python3 -m gunicorn --bind 127.0.0.1:$PORT %s.wsgi", s->app);
	else if (strstr(needs, "uvicorn") || strstr(needs, "fastapi"))
		snprintf(s->run, sizeof s->run,
			 "python3 -m uvicorn --host 127.0.0.1 --port $PORT %s:app", module);
	else if (strstr(needs, "gunicorn"))
		snprintf(s->run, sizeof s->run, "python3 -m gunicorn --bind 127.0.0.1:$PORT %s:app",
			 module);
	else if (strstr(needs, "flask") || strstr(needs, "Flask"))
		snprintf(s->run, sizeof s->run, "python3 -m flask --app %s run --port $PORT",
			 module);
	else
		snprintf(s->run, sizeof s->run, "python3 %s.py", module);
	return true;
}

static bool survey_java(int dir_fd, struct survey *s)
{
	struct buf text;
	char name[100];
	bool found = survey_read(dir_fd, "pom.xml", &text);
	if (found) {
		bool named = word_after(buf_text(&text), "<artifactId>", name, sizeof name);
		if (named)
			name[strcspn(name, "<")] = '\0';
		snprintf(s->run, sizeof s->run, "java -jar target/%s.jar --server.port=$PORT",
			 named && name[0] ? name : s->app);
		s->kind = "java";
		s->seen = "pom.xml";
		s->build = "mvn package";
		s->pipeline = (struct survey_pipeline){
			.compile = "mvn --batch-mode -Dmaven.repo.local=/work/.m2 verify",
			.outputs = "target/",
			.cache_key = "pom.xml",
			.cache_paths = ".m2/",
			.network = true};
		survey_archive(s, "target/");
	}
	buf_done(&text);
	return found;
}

/* The last CMD or ENTRYPOINT: ["a", "b"] or a b. davit runs the program itself, not the container. */
static bool survey_dockerfile(int dir_fd, struct survey *s)
{
	struct buf text;
	bool found = survey_read(dir_fd, "Dockerfile", &text);
	for (char *line = found ? text.data : NULL; line && *line;) {
		char *end = line + strcspn(line, "\n"), *next = *end ? end + 1 : end;
		*end = '\0';
		const char *command = text_starts(line, "CMD ")          ? line + 4
				      : text_starts(line, "ENTRYPOINT ") ? line + 11
									 : NULL;
		size_t used = 0;
		for (const char *c = command; c && *c && used + 1 < sizeof s->run; c++)
			if (!strchr("[]\",\r\\", *c))
				s->run[used++] = *c;
		if (command)
			s->run[used] = '\0';
		line = next;
	}
	if (found) {
		s->kind = "docker";
		s->seen = "Dockerfile";
	}
	buf_done(&text);
	return found;
}

/* An executable at the top; the first by name when there are several. */
static bool survey_executable(int dir_fd, struct survey *s)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	char best[200] = "";
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct stat st;
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof best ||
		    fstatat(dir_fd, entry->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode) ||
		    !(st.st_mode & S_IXUSR) || strpbrk(entry->d_name, " \t\n'\"\\$"))
			continue;
		if (!best[0] || strcmp(entry->d_name, best) < 0)
			text_copy(best, sizeof best, entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (!best[0])
		return false;
	snprintf(s->run, sizeof s->run, "./%s --port $PORT", best);
	s->kind = "executable";
	s->seen = "";
	return true;
}

/* A directory's name as an application's: lower case, what does not fit becomes "-". */
static void name_app(const char *path, char to[SURVEY_NAME_SIZE])
{
	const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
	size_t used = 0;
	for (; *from && used + 1 < SURVEY_NAME_SIZE; from++) {
		char c = *from >= 'A' && *from <= 'Z' ? (char)(*from - 'A' + 'a') : *from;
		bool letter = c >= 'a' && c <= 'z', other = (c >= '0' && c <= '9') || used > 0;
		if (!letter && !other)
			continue;
		if (!letter && !(c >= '0' && c <= '9'))
			c = '-';
		to[used++] = c;
	}
	while (used > 0 && to[used - 1] == '-')
		used--;
	to[used] = '\0';
	if (!text_is_name(to))
		text_copy(to, SURVEY_NAME_SIZE, "app");
}

void survey_repository(int dir_fd, const char *path, struct survey *s)
{
	static bool (*const kinds[])(int, struct survey *) = {
		survey_go,   survey_rust, survey_node,       survey_python,
		survey_java, survey_c,    survey_dockerfile, survey_executable,
	};
	*s = (struct survey){.kind = "unknown", .seen = ""};
	name_app(path, s->app);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i](dir_fd, s) && s->run[0])
			return;
	snprintf(s->run, sizeof s->run, "./%s --port $PORT", s->app);
}
