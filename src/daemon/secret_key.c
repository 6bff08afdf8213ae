/* SPDX-License-Identifier: Apache-2.0
 * secret_key - see secret_key.h for the contract. */
#include "daemon/secret_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "daemon/server_file.h"
#include "os/file.h"
#include "os/random.h"

enum { FILE_MAX = 256 };

static bool ours(const struct stat *about)
{
	return about->st_uid == geteuid() || about->st_uid == 0;
}

/* Who may write there could put another file in its place. */
static int check_directory(const char *path, struct error *err)
{
	char directory[1024];
	struct stat about;
	text_copy(directory, sizeof directory, path);
	*strrchr(directory, '/') = '\0';
	if (stat(directory[0] ? directory : "/", &about) != 0)
		return error_errno(err, errno,
				   "The directory of the key of secrets, %s, cannot be read",
				   directory);
	if (!ours(&about) || (about.st_mode & 022))
		return error_set(err, ERR_DENIED,
				 "Others may write into %s, where the key of secrets is; take that "
				 "from them: chmod go-w %s",
				 directory, directory);
	return 0;
}

static int check_file(int fd, const char *path, struct error *err)
{
	struct stat about;
	if (fstat(fd, &about) != 0)
		return error_errno(err, errno, "The key of secrets, %s, cannot be read", path);
	if (!S_ISREG(about.st_mode))
		return error_set(err, ERR_DENIED, "The key of secrets, %s, is no plain file.",
				 path);
	if (!ours(&about) || (about.st_mode & 077))
		return error_set(err, ERR_DENIED,
				 "Others may read or change the key of secrets, %s; take that from "
				 "them: chmod 600 %s",
				 path, path);
	return 0;
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;
	return found ? (int)(found - digits) : -1;
}

static bool parse(const char *text, size_t size, struct seal_key *ret_key)
{
	if (size > 0 && text[size - 1] == '\n')
		size--;
	for (size_t i = 0; i < sizeof ret_key->bytes && size == 2 * sizeof ret_key->bytes; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret_key->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return size == 2 * sizeof ret_key->bytes;
}

static int make_key(const char *path, struct error *err)
{
	uint8_t bytes[SEAL_KEY_SIZE];
	struct buf text;
	buf_init(&text, FILE_MAX);
	text.secret = true;
	random_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		buf_printf(&text, "%02x", bytes[i]);
	buf_puts(&text, "\n");
	explicit_bzero(bytes, sizeof bytes);
	int result = file_write(AT_FDCWD, path, buf_text(&text), text.size, 0600, err);
	buf_done(&text);
	if (result == 0)
		log_event(LOG_INFO, "secrets.key", "path=\"%s\" next=\"keep a copy of it\"", path);
	return result;
}

static int read_key(int fd, const char *path, struct seal_key *ret_key, struct error *err)
{
	char text[FILE_MAX];
	int result = check_file(fd, path, err);
	ssize_t size = result == 0 ? read(fd, text, sizeof text) : 0;
	if (result == 0 && (size < 0 || !parse(text, (size_t)size, ret_key)))
		result = error_set(err, ERR_CORRUPT,
				   "%s is no key of secrets: 64 hex digits are expected.", path);
	explicit_bzero(text, sizeof text);
	return result;
}

int secret_key_read(void *context, bool make, struct seal_key *ret_key, struct error *err)
{
	const struct secret_key_place *place = context;
	const struct server *server = server_file_now(place->server_file);
	const char *path = server && server->secrets.key ? server->secrets.key : place->usual;
	int result = check_directory(path, err);
	if (result < 0)
		return result;
	if (make && access(path, F_OK) != 0 && errno == ENOENT) {
		result = make_key(path, err);
		if (result < 0)
			return result;
	}
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERR_NOT_FOUND,
				 "The key of secrets, %s, is not there; put the copy of it back.",
				 path);
	if (fd < 0)
		return error_errno(err, errno, "The key of secrets, %s, cannot be opened", path);
	return read_key(fd, path, ret_key, err);
}
