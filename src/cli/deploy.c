/* SPDX-License-Identifier: Apache-2.0
 * deploy - davit deploy ENV [VERSION|PATH]: make a release of a path, or take one that is there, and follow
 *          its rollout. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/config_file.h"
#include "cli/screen.h"
#include "cli/target.h"
#include "cli/verbs.h"
#include "os/archive.h"

enum { PATH_SIZE = 4096 };

struct upload {
	int fd;
	struct error *err;
};

static long read_upload(void *context, void *to, size_t size)
{
	struct upload *upload = context;
	ssize_t n = read(upload->fd, to, size);
	if (n < 0)
		error_errno(upload->err, errno, "The release could not be read");
	return (long)n;
}

static int write_all(void *context, const void *bytes, size_t size, struct error *err)
{
	const int *fd = context;
	const char *p = bytes;
	while (size > 0) {
		ssize_t n = write(*fd, p, size);
		if (n < 0)
			return error_errno(err, errno,
					   "The release could not be packed into $TMPDIR");
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* A directory becomes a tar in a file without a name: the same tree gives the same bytes. */
static int pack_directory(const char *path, int *ret_fd, struct error *err)
{
	const char *temporary = getenv("TMPDIR");
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return error_errno(err, errno, "The directory %s cannot be opened", path);
	int fd = open(temporary && temporary[0] ? temporary : "/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int result = fd < 0 ? error_errno(err, errno, "No temporary file can be made; set TMPDIR")
			    : archive_pack(directory, write_all, &fd, err);
	close(directory);
	if (result < 0) {
		if (fd >= 0)
			close(fd);
		return result;
	}
	lseek(fd, 0, SEEK_SET);
	*ret_fd = fd;
	return 0;
}

/* --config, else davit.yaml in the release's directory, else here. NULL: an archive may bring its own. */
static const char *find_config(const struct cli *cli, const char *path, bool directory,
			       char to[PATH_SIZE])
{
	const char *named = cli_option(cli, "config");
	if (named)
		return named;
	if (directory) {
		snprintf(to, PATH_SIZE, "%s/davit.yaml", path);
		if (access(to, F_OK) == 0)
			return to;
	}
	return directory || access("davit.yaml", F_OK) == 0 ? "davit.yaml" : NULL;
}

/* Every error at once, before anything is sent. */
static int take_config(struct cli *cli, const char *file, struct buf *config)
{
	struct error err;
	struct app *app;
	if (config_file_read(file, config, &err) < 0)
		return cli_fail(cli, &err, "davit init");
	int code = config_file_load(cli, config, file, &app);
	if (code == CLI_OK)
		config_free(app);
	return code;
}

static int open_release(const char *path, const struct stat *st, int *ret_fd, char name[256],
			struct error *err)
{
	if (S_ISDIR(st->st_mode)) {
		snprintf(name, 256, "release.tar");
		return pack_directory(path, ret_fd, err);
	}
	const char *slash = strrchr(path, '/');
	text_copy(name, 256, slash ? slash + 1 : path);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd >= 0 ? 0 : error_errno(err, errno, "The file %s cannot be opened", path);
}

/* Make a release of a path; `ret_id` is its id, `ret_key` the environment with its application's name, for
 * another application may have one of that name as well. Returns an exit code. */
static int make_release(struct cli *cli, struct client *client, const char *environment,
			const char *path, const struct stat *st, char ret_id[DIGEST_HEX_SIZE],
			char ret_key[TARGET_SIZE])
{
	char config_path[PATH_SIZE], name[256], url[2048] = "/v1/releases";
	struct error err;
	struct buf config;
	json_t *release = NULL;
	struct upload upload = {.fd = -1, .err = &err};
	buf_init(&config, CONFIG_FILE_MAX);
	const char *file = find_config(cli, path, S_ISDIR(st->st_mode), config_path);
	int code = file ? take_config(cli, file, &config) : CLI_OK;
	if (code != CLI_OK) {
		buf_done(&config);
		return code;
	}
	int result = open_release(path, st, &upload.fd, name, &err);
	client_query(url, sizeof url, "environment", environment);
	client_query(url, sizeof url, "tag", cli_option(cli, "as"));
	client_query(url, sizeof url, "name", name);
	client_query(url, sizeof url, "config", file);
	if (result == 0)
		result = client_upload(client, url, buf_text(&config), config.size, read_upload,
				       &upload, &release, &err);
	if (upload.fd >= 0)
		close(upload.fd);
	buf_done(&config);
	if (result < 0) {
		if (!err.where[0] && err.code == ERR_INVALID)
			error_where(&err, "%s", path);
		return cli_fail(cli, &err, client_next(client));
	}
	text_copy(ret_id, DIGEST_HEX_SIZE, json_text_of(release, "release"));
	const char *slash = strchr(environment, '/');
	snprintf(ret_key, TARGET_SIZE, "%s/%s", json_text_of(release, "app"),
		 slash ? slash + 1 : environment);
	if (!cli->json)
		fprintf(stderr, "%s is release %.12s (%llu files)%s.\n",
			json_text_of(release, "tag"), ret_id,
			(unsigned long long)json_number_of(release, "files"),
			json_is_true(json_object_get(release, "existed"))
				? ", which davit has already"
				: "");
	json_decref(release);
	return CLI_OK;
}

static bool set_fixes(struct cli *cli, json_t *body, struct error *err)
{
	const char *text = cli_option(cli, "fixes");
	uint64_t number;
	if (text && (!text_parse_u64(text, UINT32_MAX, &number) || number == 0)) {
		error_set(err, ERR_INVALID, "--fixes takes the number of a rollout.");
		return false;
	}
	if (text)
		json_object_set_new(body, "fixes", json_integer((json_int_t)number));
	return true;
}

static int begin(struct cli *cli, struct client *client, const char *environment,
		 const char *release, uint32_t *ret_rollout)
{
	char url[512];
	struct error err;
	json_t *answer, *body = json_object();
	const char *strategy = cli_option(cli, "strategy"), *reason = cli_option(cli, "reason");
	json_object_set_new(body, "release", json_string(release));
	if (strategy)
		json_object_set_new(body, "strategy", json_string(strategy));
	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	if (!set_fixes(cli, body, &err)) {
		json_decref(body);
		return cli_fail(cli, &err, "davit history");
	}
	json_object_set_new(body, "allow_bad", json_boolean(cli_option(cli, "allow-bad") != NULL));
	client_path("/v1/environments/", environment, "/deploy", url, sizeof url);
	if (client_post(client, url, body, &answer, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	*ret_rollout = (uint32_t)json_number_of(answer, "rollout");
	json_decref(answer);
	return CLI_OK;
}

static int run(struct cli *cli, struct client *client)
{
	const char *environment = cli_arg(cli, 0), *what = cli_arg(cli, 1),
		   *timeout = cli_option(cli, "timeout");
	char release[DIGEST_HEX_SIZE], number[16], key[TARGET_SIZE];
	struct follow_options options = {0};
	uint32_t rollout = 0;
	struct stat st;
	struct error err;
	int code = CLI_OK;
	if (timeout && !text_parse_duration(timeout, &options.timeout_ms)) {
		error_set(&err, ERR_INVALID, "--timeout takes a duration such as 30m, not \"%s\".",
			  timeout);
		return cli_fail(cli, &err, "davit deploy --help");
	}
	if (!what)
		what = ".";
	if (stat(what, &st) == 0)
		code = make_release(cli, client, environment, what, &st, release, key);
	else if (strchr(what, '/')) {
		error_errno(&err, errno, "The release %s cannot be read", what);
		return cli_fail(cli, &err, NULL);
	} else {
		text_copy(release, sizeof release, what);
		text_copy(key, sizeof key, environment);
	}
	if (code == CLI_OK)
		code = begin(cli, client, key, release, &rollout);
	if (code != CLI_OK)
		return code;
	snprintf(number, sizeof number, "%u", rollout);
	if (cli_option(cli, "detach")) {
		if (cli->json)
			printf("{\"schema\":\"davit.v1/accepted\",\"rollout\":%u}\n", rollout);
		else
			printf("Rollout %u has begun. Next: davit watch %s\n", rollout, number);
		return CLI_OK;
	}
	return follow_rollout(cli, client, number, &options);
}

int verb_deploy(struct cli *cli)
{
	struct client *client;
	struct error err;
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	int code = run(cli, client);
	client_free(client);
	return code;
}
