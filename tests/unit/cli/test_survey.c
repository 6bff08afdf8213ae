/* SPDX-License-Identifier: Apache-2.0
 * test_survey - what davit init sees in a repository, and that what it writes is valid whatever it saw. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../cmocka_all.h"
#include "capture.h"
#include "cli/command.h"
#include "cli/survey.h"
#include "os/file.h"

static char directory[] = "/tmp/davit-survey.XXXXXX";
static int dir_fd;

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (!mkdtemp(directory) || chdir(directory) != 0)
		return -1;
	dir_fd = open(".", O_RDONLY | O_DIRECTORY);
	return dir_fd < 0;
}

static int remove_directory(void **state)
{
	struct error err;
	(void)state;
	close(dir_fd);
	return chdir("/") != 0 || file_remove_tree(AT_FDCWD, directory, &err) != 0;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void expect(const char *kind, const char *run)
{
	struct survey survey;
	survey_repository(dir_fd, "/home/ann/My Shop", &survey);
	assert_string_equal(survey.kind, kind);
	assert_string_equal(survey.run, run);
	assert_string_equal(survey.app, "my-shop");
	/* And the file that is written from it is valid, once. */
	assert_int_equal(DAVIT("init"), CLI_OK);
	assert_int_equal(DAVIT("validate"), CLI_OK);
	assert_int_equal(DAVIT("init"), CLI_CONFLICT);
	assert_int_equal(unlink("davit.yaml"), 0);
}

/* What is written says this, and is valid. */
static void proposes(const char *line)
{
	struct buf text;
	struct error err;
	buf_init(&text, 65536);
	assert_int_equal(DAVIT("init"), CLI_OK);
	assert_int_equal(DAVIT("validate"), CLI_OK);
	assert_int_equal(file_read(AT_FDCWD, "davit.yaml", &text, &err), 0);
	if (!strstr(buf_text(&text), line))
		fail_msg("not proposed: %s\n%s", line, buf_text(&text));
	buf_done(&text);
	assert_int_equal(unlink("davit.yaml"), 0);
}

static void a_pipeline_is_proposed_for_what_is_known(void **state)
{
	(void)state;
	static const struct {
		const char *file, *text, *line;
	} kinds[] = {
		{"go.mod", "module example.com/ann/shop\n", "run: 'go vet ./... && go test ./...'"},
		{"Cargo.toml", "[package]\nname = \"till\"\n", "archive: ['target/release/till']"},
		{"package.json", "{\"scripts\":{\"test\":\"x\"}}", "run: 'npm test'"},
		{"package.json", "{}", "needs: [compile]"},
		{"manage.py", "", "run: 'python3 manage.py test'"},
		{"requirements.txt", "pytest\n", "run: 'python3 -m pytest'"},
		{"pom.xml", "<project><artifactId>shop</artifactId></project>",
		 "cache: { key: [pom.xml], paths: [.m2/] }"},
		{"meson.build", "project('x')\nexecutable('till', 'a.c')\n",
		 "archive: ['build/till']"},
		{"CMakeLists.txt", "add_executable(till a.c)\n", "run: 'ctest --test-dir build'"},
		{"Makefile", "all:\n\ntest: all\n", "run: 'make test'"},
		{"Makefile", "check: all\n", "run: 'make check'"},
		{"Makefile", "all:\n", "needs: [compile]"},
		{"Makefile", "all:\n", "outputs: [.]"},
		{"CMakeLists.txt", "add_executable(${NAME} a.c)\n", "archive: ['build/']"},
		{"CMakeLists.txt",
		 "set(CMAKE_RUNTIME_OUTPUT_DIRECTORY b)\nadd_executable(till a.c)\n",
		 "archive: ['build/']"},
		{"meson.build", "executable(get_option('p') + 'till', 'a.c')\n",
		 "archive: ['build/']"},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		write_file(kinds[i].file, kinds[i].text, 0644);
		proposes(kinds[i].line);
		assert_int_equal(unlink(kinds[i].file), 0);
	}
}

static void an_empty_directory_is_unknown_and_gets_a_guess(void **state)
{
	(void)state;
	expect("unknown", "./my-shop --port $PORT");
}

static void a_go_module_names_its_program(void **state)
{
	(void)state;
	write_file("go.mod", "module example.com/ann/shop\n\ngo 1.22\n", 0644);
	expect("go", "./shop");
}

static void a_rust_crate_names_its_program(void **state)
{
	(void)state;
	write_file("Cargo.toml", "[package]\nname = \"till\"\nversion = \"0.1.0\"\n", 0644);
	expect("rust", "./target/release/till");
}

static void a_node_package_is_started_by_its_own_script_without_npm(void **state)
{
	(void)state;
	write_file("package.json", "{\"scripts\":{\"start\":\"node lib/main.js\"}}", 0644);
	expect("node", "node lib/main.js");
	write_file("package.json", "{\"main\":\"index.js\",\"scripts\":{\"start\":\"a && b\"}}",
		   0644);
	expect("node", "node index.js");
	write_file("package.json", "not json", 0644);
	expect("node", "node server.js");
}

static void a_python_program_is_started_by_the_server_that_it_asks_for(void **state)
{
	(void)state;
	write_file("requirements.txt", "fastapi\nuvicorn\n", 0644);
	write_file("main.py", "app = 1\n", 0644);
	expect("python", "python3 -m uvicorn --host 127.0.0.1 --port $PORT main:app");
	write_file("requirements.txt", "flask\n", 0644);
	expect("python", "python3 -m flask --app main run --port $PORT");
	write_file("requirements.txt", "requests\n", 0644);
	expect("python", "python3 main.py");
}

static void a_c_project_is_told_by_meson_or_make(void **state)
{
	(void)state;
	write_file("Makefile", "all:\n", 0644);
	expect("c", "./my-shop --port $PORT");
	write_file("Makefile", "all: my-shop\nmy-shop:\n", 0644);
	struct survey survey;
	survey_repository(dir_fd, "/home/ann/My Shop", &survey);
	assert_string_equal(survey.pipeline.archive, "my-shop");
	write_file("meson.build", "project('x', 'c')\nexecutable('shopd', 'main.c')\n", 0644);
	expect("c", "./build/shopd --port $PORT");
}

static void a_program_is_found_in_further_directories(void **state)
{
	(void)state;
	assert_int_equal(mkdir("tests", 0755), 0);
	assert_int_equal(mkdir("tools", 0755), 0);
	assert_int_equal(mkdir("bin", 0755), 0);
	write_file("meson.build", "subdir('tests')\nsubdir('tools')\nsubdir('bin')\n", 0644);
	write_file("tests/meson.build", "executable('check', 'a.c')\n", 0644);
	write_file("tools/meson.build", "x = executable ( 'gen-tables', 'a.c')\n", 0644);
	expect("c", "./build/tools/gen-tables --port $PORT");
	write_file("bin/meson.build", "executable('other', 'a.c')\nexecutable('my-shop', 'a.c')\n",
		   0644);
	expect("c", "./build/bin/my-shop --port $PORT");
	assert_int_equal(mkdir("build", 0755), 0); /* the repository's own */
	expect("c", "./_build/bin/my-shop --port $PORT");
	proposes("archive: ['_build/']");
}

static void a_dockerfile_gives_its_command(void **state)
{
	(void)state;
	write_file("Dockerfile", "FROM scratch\nCMD [\"bin/server\", \"--port\", \"80\"]\n", 0644);
	expect("docker", "bin/server --port 80");
	write_file("Dockerfile", "FROM scratch\nENTRYPOINT it's 'quoted': yes # no\n", 0644);
	expect("docker", "it's 'quoted': yes # no");
}

static void an_executable_is_taken_when_nothing_else_is_there(void **state)
{
	(void)state;
	write_file("notes.txt", "", 0644);
	write_file("server", "#!/bin/sh\n", 0755);
	expect("executable", "./server --port $PORT");
}

#define SURVEY_TEST(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SURVEY_TEST(a_pipeline_is_proposed_for_what_is_known),
		SURVEY_TEST(an_empty_directory_is_unknown_and_gets_a_guess),
		SURVEY_TEST(a_go_module_names_its_program),
		SURVEY_TEST(a_rust_crate_names_its_program),
		SURVEY_TEST(a_node_package_is_started_by_its_own_script_without_npm),
		SURVEY_TEST(a_python_program_is_started_by_the_server_that_it_asks_for),
		SURVEY_TEST(a_c_project_is_told_by_meson_or_make),
		SURVEY_TEST(a_program_is_found_in_further_directories),
		SURVEY_TEST(a_dockerfile_gives_its_command),
		SURVEY_TEST(an_executable_is_taken_when_nothing_else_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
