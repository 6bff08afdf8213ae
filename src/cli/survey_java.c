/* SPDX-License-Identifier: Apache-2.0
 * survey_java - Maven and Gradle; each has its wrapper in the repository, or is the machine's. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

static const char jdk[] = "apt-get install default-jdk-headless";

/* The text between <tag> and </tag>, where it is a plain name. */
static bool element(const char *text, const char *tag, char to[100])
{
	char open[40];
	snprintf(open, sizeof open, "<%s>", tag);
	if (!survey_word(text, open, to, 100))
		return false;
	to[strcspn(to, "<")] = '\0';
	return survey_is_plain(to);
}

/* What it says of itself, after what it says of its parent. */
static void name_jar(const char *text, const char *app, char jar[SURVEY_RUN_SIZE])
{
	const char *parent = strstr(text, "</parent>"), *end;
	char name[100], version[100], own[2048];
	const char *self = parent ? parent : text;
	end = strstr(self, "<dependencies>");
	snprintf(own, sizeof own, "%.*s", end ? (int)(end - self) : (int)strlen(self), self);
	if (element(text, "finalName", name))
		snprintf(jar, SURVEY_RUN_SIZE, "%s", name);
	else if (!element(own, "artifactId", name))
		snprintf(jar, SURVEY_RUN_SIZE, "%s", app);
	else if (element(own, "version", version))
		snprintf(jar, SURVEY_RUN_SIZE, "%s-%s", name, version);
	else
		snprintf(jar, SURVEY_RUN_SIZE, "%s", name);
}

/* The wrapper of the repository: it looks for its files where it lies, so its name has to have a slash. */
static const char *wrapper(int dir_fd, const char *name, const char *const scripts[2])
{
	if (!survey_has(dir_fd, name))
		return NULL;
	return scripts[faccessat(dir_fd, name, X_OK, 0) == 0];
}

static bool survey_maven(int dir_fd, struct survey *s)
{
	struct survey_pipeline *p = &s->pipeline;
	struct buf text;
	char jar[SURVEY_RUN_SIZE];
	bool found = survey_read(dir_fd, "pom.xml", &text);
	if (found) {
		const char *wrapped =
			wrapper(dir_fd, "mvnw", (const char *const[]){"sh ./mvnw", "./mvnw"});
		const char *maven = wrapped ? wrapped : "mvn";
		name_jar(buf_text(&text), s->app, jar);
		snprintf(s->run, sizeof s->run, "java -jar target/%.200s.jar --server.port=$PORT",
			 jar);
		s->kind = "java";
		s->seen = "pom.xml";
		snprintf(s->build, sizeof s->build, "%s package", maven);
		/* Its unit and integration tests as well. */
		snprintf(p->compile, sizeof p->compile,
			 "%s --batch-mode -Dmaven.repo.local=/work/.m2 verify", maven);
		text_copy(p->outputs, sizeof p->outputs, "target/");
		text_copy(p->cache_key, sizeof p->cache_key, "pom.xml");
		p->cache_paths = ".m2/";
		p->network = true;
		survey_archive(s, "target/");
		survey_requires(s, "javac", jdk);
		if (!wrapped)
			survey_requires(s, "mvn", "apt-get install maven");
	}
	buf_done(&text);
	return found;
}

static bool survey_gradle(int dir_fd, struct survey *s)
{
	static const char *const files[] = {"build.gradle", "build.gradle.kts", NULL};
	static const char *const settings[] = {"settings.gradle", "settings.gradle.kts", NULL};
	struct survey_pipeline *p = &s->pipeline;
	struct buf text;
	char name[100] = "", version[40] = "";
	const char *file = survey_first(dir_fd, files), *about = survey_first(dir_fd, settings);
	if (!file)
		return false;
	const char *wrapped =
		wrapper(dir_fd, "gradlew", (const char *const[]){"sh ./gradlew", "./gradlew"});
	const char *gradle = wrapped ? wrapped : "gradle";
	if (about && survey_read(dir_fd, about, &text))
		survey_word(buf_text(&text), "rootProject.name", name, sizeof name);
	if (about)
		buf_done(&text);
	if (survey_read(dir_fd, file, &text))
		survey_word(buf_text(&text), "\nversion", version, sizeof version);
	buf_done(&text);
	bool known = survey_is_plain(version);
	snprintf(s->run, sizeof s->run, "java -jar build/libs/%s%s%s.jar --server.port=$PORT",
		 survey_is_plain(name) ? name : s->app, known ? "-" : "", known ? version : "");
	s->kind = "java";
	s->seen = file;
	snprintf(s->build, sizeof s->build, "%s build", gradle);
	/* Its tests as well; a daemon would be gone with the stage. */
	snprintf(p->compile, sizeof p->compile, "%s --no-daemon --console=plain build", gradle);
	text_copy(p->outputs, sizeof p->outputs, "build/");
	text_copy(p->cache_key, sizeof p->cache_key, file);
	p->cache_paths = ".gradle-home/";
	p->variable = "GRADLE_USER_HOME: /work/.gradle-home";
	p->network = true;
	survey_archive(s, "build/libs/");
	survey_requires(s, "javac", jdk);
	if (!wrapped)
		survey_requires(s, "gradle", "apt-get install gradle, or: gradle wrapper");
	return true;
}

bool survey_java(int dir_fd, struct survey *s)
{
	return survey_maven(dir_fd, s) || survey_gradle(dir_fd, s);
}
