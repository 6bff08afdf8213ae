/* SPDX-License-Identifier: Apache-2.0
 * survey - see survey.h for the contract. One function a kind; the first that recognises its own wins, so what
 *          says most about how to start the program comes first. */
#include "cli/survey.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/survey_kinds.h"
#include "os/file.h"
#include "os/stage_path.h"

/* --- files */

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

const char *survey_first(int dir_fd, const char *const *names)
{
	while (*names && !survey_has(dir_fd, *names))
		names++;
	return *names;
}

bool survey_find(int dir_fd, const char *directory, const char *begin, const char *end,
		 char path[SURVEY_RUN_SIZE])
{
	int fd = openat(dir_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	char best[100] = "";
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		const char *name = entry->d_name;
		size_t size = strlen(name);
		if (name[0] == '.' || size < strlen(begin) + strlen(end) || size >= sizeof best ||
		    !text_starts(name, begin) || strcmp(name + size - strlen(end), end) != 0 ||
		    !survey_is_plain(name))
			continue;
		if (!best[0] || strcmp(name, best) < 0)
			text_copy(best, sizeof best, name);
	}
	if (dir)
		closedir(dir);
	bool top = strcmp(directory, ".") == 0;
	snprintf(path, SURVEY_RUN_SIZE, "%.100s%s%s", top ? "" : directory, top ? "" : "/", best);
	return best[0];
}

bool survey_word(const char *text, const char *before, char *to, size_t size)
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

bool survey_is_plain(const char *name)
{
	return name[0] && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") ==
		       strlen(name);
}

/* --- what it becomes */

void survey_archive(struct survey *s, const char *path)
{
	if (*path && !strpbrk(path, "'\"\\ \t,[]{}#&*!|>%@`"))
		text_copy(s->pipeline.archive, sizeof s->pipeline.archive, path);
}

struct survey_stage *survey_add(struct survey *s, const char *name, const char *format, ...)
{
	struct survey_pipeline *p = &s->pipeline;
	for (uint32_t i = 0; i < p->check_count; i++)
		if (strcmp(p->checks[i].name, name) == 0)
			return NULL;
	if (p->check_count == SURVEY_STAGES_MAX)
		return NULL;
	struct survey_stage *stage = &p->checks[p->check_count++];
	va_list args;
	*stage = (struct survey_stage){.name = name};
	va_start(args, format);
	vsnprintf(stage->run, sizeof stage->run, format, args);
	va_end(args);
	return stage;
}

void survey_doubt(struct survey_stage *stage, const char *format, ...)
{
	va_list args;
	if (!stage || stage->why[0])
		return;
	va_start(args, format);
	vsnprintf(stage->why, sizeof stage->why, format, args);
	va_end(args);
}

void survey_add_integration(int dir_fd, struct survey *s, const char *script)
{
	static const char *const composed[] = {"compose.yaml", "compose.yml", "docker-compose.yaml",
					       "docker-compose.yml", NULL};
	const char *beside = survey_first(dir_fd, composed);
	struct survey_stage *stage = survey_add(s, "integration", "%s", script);
	if (beside)
		survey_doubt(stage, "what %s starts beside it is said here: davit docs services",
			     beside);
}

/* Where a link leads to has to be there as well. */
static bool is_in_sandbox(const char *path)
{
	static const char *const seen[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"};
	char real[PATH_MAX];
	if (access(path, X_OK) != 0 || !realpath(path, real))
		return false;
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		if (text_starts(real, seen[i]))
			return true;
	return false;
}

/* The next directory of a list such as PATH; false at the end. */
static bool next_place(const char **list, const char *program, char path[PATH_MAX])
{
	size_t length = strcspn(*list, ":");
	if (!**list)
		return false;
	snprintf(path, PATH_MAX, "%.*s/%s", (int)length, *list, program);
	*list += length + ((*list)[length] == ':');
	return true;
}

bool survey_stage_finds(const char *program)
{
	const char *list = STAGE_PATH;
	char path[PATH_MAX];
	while (next_place(&list, program, path))
		if (is_in_sandbox(path))
			return true;
	return false;
}

void survey_say(struct survey *s, const char *format, ...)
{
	va_list args;
	if (s->note_count == SURVEY_NOTES_MAX)
		return;
	va_start(args, format);
	vsnprintf(s->notes[s->note_count++], SURVEY_NOTE_SIZE, format, args);
	va_end(args);
}

void survey_requires(struct survey *s, const char *program, const char *how)
{
	const char *list = getenv("PATH");
	char path[PATH_MAX];
	bool here = false;
	if (survey_stage_finds(program))
		return;
	while (list && !here && next_place(&list, program, path))
		here = access(path, X_OK) == 0;
	if (here)
		survey_say(s,
			   "The stages need %s, and a stage sees no programs but those below /usr, "
			   "not %.100s: %s.",
			   program, path, how);
	else
		survey_say(s,
			   "The stages need %s, which is not installed below /usr, where they see "
			   "it: %s.",
			   program, how);
}

/* --- kinds that are no language */

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
		survey_archive(s, ".");
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
	survey_archive(s, ".");
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

/* What a push has to be of to come to staging. */
static const char *main_branch(int dir_fd)
{
	struct buf head;
	char name[100] = "";
	if (survey_read(dir_fd, ".git/HEAD", &head))
		survey_word(buf_text(&head), "ref: refs/heads/", name, sizeof name);
	buf_done(&head);
	bool old = strcmp(name, "master") == 0 || (!survey_has(dir_fd, ".git/refs/heads/main") &&
						   survey_has(dir_fd, ".git/refs/heads/master"));
	return old && strcmp(name, "main") != 0 ? "master" : "main";
}

void survey_repository(int dir_fd, const char *path, struct survey *s)
{
	static bool (*const kinds[])(int, struct survey *) = {
		survey_go, survey_rust, survey_node,       survey_python,     survey_java,
		survey_c,  survey_make, survey_dockerfile, survey_executable,
	};
	*s = (struct survey){.kind = "unknown", .seen = "", .branch = main_branch(dir_fd)};
	name_app(path, s->app);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i](dir_fd, s) && s->run[0]) {
			survey_add_common(dir_fd, s);
			return;
		}
	snprintf(s->run, sizeof s->run, "./%s --port $PORT", s->app);
}
