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
		{"go.mod", "module example.com/ann/shop\n", "\n    run: 'go vet ./...'\n"},
		{"go.mod", "module example.com/ann/shop\n", "\n    run: 'go build -o shop .'\n"},
		{"go.mod", "module shop\n\nrequire x.org/y v1.0.0\n",
		 "key: [go.mod], paths: [.go/]"},
		{"Cargo.toml", "[package]\nname = \"till\"\n", "archive: ['target/release/till']"},
		{"Cargo.toml", "[package]\nname = \"till\"\n", "outputs: [target/]"},
		{"Cargo.toml", "[package]\nname = \"till\"\n[dependencies]\nserde = \"1\"\n",
		 "outputs: [target/, .cargo-home/, Cargo.lock]"},
		{"package.json", "{\"scripts\":{\"test\":\"x\"}}", "run: 'npm test'"},
		{"package.json", "{}", "pipeline:\n  package:\n    archive: ['.']\n\n"},
		{"package.json", "{\"scripts\":{\"test\":\"echo 'no test specified'; exit 1\"}}",
		 "pipeline:\n  package:"},
		{"package.json", "{\"dependencies\":{\"x\":\"1\"}}",
		 "run: 'npm install --cache .npm --prefer-offline'"},
		{"package.json", "{\"dependencies\":{\"x\":\"1\"},\"scripts\":{\"build\":\"tsc\"}}",
		 "run: 'npm install && npm run build'\n    network: true # it fetches what the "
		 "repository names; nothing else may\n    outputs: [.]\n"},
		{"package.json", "{\"scripts\":{\"lint\":\"x\",\"test:integration\":\"y\"}}",
		 "  lint:\n    run: 'npm run lint'\n  integration:\n    run: 'npm run "
		 "test:integration'\n  package:\n    archive: ['.']\n    needs: [lint, "
		 "integration]\n"},
		{"manage.py", "", "run: 'python3 manage.py test'"},
		{"manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'till.settings')\n",
		 "127.0.0.1:$PORT till.wsgi'"},
		{"requirements.txt", "pytest\n",
		 "  # unit is off: there is no test_*.py yet, and pytest fails where it finds "
		 "none.\n"
		 "  # unit:\n  #   run: '.venv/bin/python3 -m pytest'\n"},
		{"requirements.txt", "x\n",
		 "run: 'python3 -m venv --copies .venv && .venv/bin/pip install --cache-dir "
		 ".pip-cache -r requirements.txt'\n"},
		{"pyproject.toml",
		 "[project]\ndependencies = []\n[project.optional-dependencies]\n"
		 "dev = ['pytest']\n",
		 "pip install --cache-dir .pip-cache ''.[dev]'''\n"},
		{"pyproject.toml", "[tool.ruff]\n",
		 "  # lint is off: ruff is configured, but neither"},
		{"pyproject.toml", "[tool.ruff]\n", "pipeline:\n  # lint"},
		/* Of a group, or of another extra: it would not be there. */
		{"pyproject.toml",
		 "[project]\ndependencies = ['x']\n[dependency-groups]\ndev = ['pytest', "
		 "'bandit']\n",
		 "  # unit is off: pytest is not among what is installed"},
		{"pyproject.toml",
		 "[project]\ndependencies = ['x']\n[project.optional-dependencies]\ntest = ['y']\n"
		 "dev = ['ruff']\n[tool.ruff]\n",
		 "  # lint is off: ruff is configured, but neither among the requirements"},
		{"pom.xml", "<project><artifactId>shop</artifactId></project>",
		 "cache: { key: [pom.xml], paths: [.m2/] }"},
		{"pom.xml",
		 "<project><parent><artifactId>all</artifactId><version>9</version></parent>"
		 "<artifactId>shop</artifactId><version>1.2</version></project>",
		 "java -jar target/shop-1.2.jar "},
		{"build.gradle", "", "run: 'gradle --no-daemon --console=plain build'"},
		{"build.gradle", "plugins { }\nversion = '1.2'\n", "-1.2.jar --server.port"},
		{"build.gradle.kts", "", "archive: ['build/libs/']"},
		{"meson.build", "project('x')\nexecutable('till', 'a.c')\n",
		 "archive: ['build/till']"},
		{"CMakeLists.txt", "add_executable(till a.c)\n", "run: 'ctest --test-dir build'"},
		{"configure", "#!/bin/sh\n", "run: 'sh configure && make'"},
		{"configure.ac", "AC_INIT\n", "run: 'autoreconf --install && ./configure && make'"},
		{"GNUmakefile", "all:\n\ntest: all\n", "run: 'make test'"},
		{"Makefile", "all:\n\ntest: all\n", "run: 'make test'"},
		{"Makefile", "check: all\n", "run: 'make check'"},
		{"Makefile", "all:\n", "compile]\n\nservice:"},
		{"Makefile", "all:\n", "outputs: [.]"},
		{"Makefile", "all:\nlint all-tests test: all\n\ttrue\n",
		 "  lint:\n    run: 'make lint'\n    needs: [compile]\n  unit:"},
		{"Makefile", "lint:\n\t@no-such-linter a.c\n",
		 "  # lint is off: it runs no-such-linter, which is not installed below /usr.\n"},
		{"Makefile", "lint:\n\ttrue && \\\n\tno-such-linter\n\tcd x\n", "\n  lint:\n"},
		{"Makefile", "lint := x\ntest: lint:=y\n",
		 "pipeline:\n  compile:\n    run: 'make'\n    outputs: [.]\n  unit:"},
		{"Dockerfile", "CMD serve\n", "pipeline:\n  package:\n    archive: ['.']\n"},
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

static void prod_can_be_deployed_to_by_hand_unless_it_is_gated(void **state)
{
	(void)state;
	struct buf text;
	struct error err;
	proposes("    # from: staging\n    # approve: { count: 1 }\n");
	proposes("  dev:\n    listen: 127.0.0.1:8081\n    trigger: { branch: develop }\n");
	proposes("    trigger: { branch: main }\n");
	assert_int_equal(mkdir(".git", 0755), 0);
	write_file(".git/HEAD", "ref: refs/heads/master\n", 0644);
	proposes("    trigger: { branch: master }\n");
	assert_int_equal(DAVIT("init", "--gated"), CLI_OK);
	assert_int_equal(DAVIT("validate"), CLI_OK);
	buf_init(&text, 65536);
	assert_int_equal(file_read(AT_FDCWD, "davit.yaml", &text, &err), 0);
	assert_non_null(
		strstr(buf_text(&text), "\n    from: staging\n    approve: { count: 1 }\n"));
	buf_done(&text);
}

static void what_no_stage_would_find_is_said(void **state)
{
	(void)state;
	const char *before = getenv("PATH");
	char *path = mem_copy_text(before ? before : "");
	struct survey survey;
	write_file("package.json", "{}", 0644);
	write_file("yarn.lock", "", 0644);
	write_file("yarn", "#!/bin/sh\n", 0755);
	setenv("PATH", directory, 1);
	survey_repository(dir_fd, "/home/ann/shop", &survey);
	setenv("PATH", path, 1);
	free(path);
	if (survey.note_count > 0) /* /usr may have one */
		assert_non_null(strstr(survey.notes[0], directory));
	write_file("eslint.config.js", "", 0644);
	survey_repository(dir_fd, "/home/ann/shop", &survey);
	assert_int_equal(survey.pipeline.check_count, 1);
	assert_string_equal(survey.pipeline.checks[0].why,
			    "eslint.config.js is there, but eslint is not among the dependencies");
}

static void a_wrapper_of_the_repository_is_named_by_its_path(void **state)
{
	(void)state;
	write_file("build.gradle", "", 0644);
	write_file("gradlew", "", 0644);
	proposes("run: 'sh ./gradlew --no-daemon --console=plain build'");
	assert_int_equal(chmod("gradlew", 0755), 0);
	proposes("run: './gradlew --no-daemon --console=plain build'");
	write_file("pom.xml", "<project></project>", 0644);
	write_file("mvnw", "", 0755);
	proposes("run: './mvnw --batch-mode -Dmaven.repo.local=/work/.m2 verify'");
}

static void what_a_program_reads_is_deployed_with_it(void **state)
{
	(void)state;
	write_file("go.mod", "module shop\n", 0644);
	write_file("assets", "", 0644); /* not a directory */
	assert_int_equal(mkdir("static", 0755), 0);
	assert_int_equal(mkdir("templates", 0755), 0);
	proposes("archive: ['shop', static/, templates/]\n");
	assert_int_equal(unlink("go.mod"), 0);
	write_file("package.json", "{}", 0644);
	proposes("archive: ['.']\n");
}

static void tests_of_python_may_be_a_level_deeper(void **state)
{
	(void)state;
	write_file("requirements.txt", "pytest\n", 0644);
	assert_int_equal(mkdir("tests", 0755), 0);
	assert_int_equal(mkdir("tests/till", 0755), 0);
	proposes("  # unit is off: there is no test_*.py yet");
	write_file("tests/till/test_till.py", "", 0644);
	proposes("  unit:\n    run: '.venv/bin/python3 -m pytest'\n");
	assert_int_equal(mkdir("tests/integration", 0755), 0);
	write_file("tests/integration/test_all.py", "", 0644);
	proposes("  unit:\n    run: '.venv/bin/python3 -m pytest --ignore=tests/integration'\n");
	proposes("  integration:\n    run: '.venv/bin/python3 -m pytest tests/integration'\n");
}

static void integration_tests_that_need_others_are_a_comment(void **state)
{
	(void)state;
	write_file("Makefile", "integration:\n", 0644);
	proposes("\n  integration:\n    run: 'make integration'\n");
	write_file("compose.yml", "", 0644);
	proposes("\n  # integration is off: what compose.yml starts beside it is said here: davit "
		 "docs services.\n  # integration:\n");
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
	expect("python", ".venv/bin/python3 -m uvicorn --host 127.0.0.1 --port $PORT main:app");
	write_file("requirements.txt", "flask\n", 0644);
	expect("python", ".venv/bin/python3 -m flask --app main run --port $PORT");
	write_file("requirements.txt", "requests\n", 0644);
	expect("python", ".venv/bin/python3 main.py");
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
		SURVEY_TEST(prod_can_be_deployed_to_by_hand_unless_it_is_gated),
		SURVEY_TEST(what_no_stage_would_find_is_said),
		SURVEY_TEST(a_wrapper_of_the_repository_is_named_by_its_path),
		SURVEY_TEST(what_a_program_reads_is_deployed_with_it),
		SURVEY_TEST(tests_of_python_may_be_a_level_deeper),
		SURVEY_TEST(integration_tests_that_need_others_are_a_comment),
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
