/* SPDX-License-Identifier: Apache-2.0
 * ssh_signature - see ssh_signature.h for the contract. */
#include "os/ssh_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/file.h"
#include "os/process.h"

enum { CHECK_MS = 10000, OUTPUT_MAX = 64 * 1024 };

/* A block of memory with a descriptor, at its beginning. */
static int memory_with(const char *content, int *ret_fd, struct error *err)
{
	size_t size = strlen(content);
	*ret_fd = memfd_create("davit-signature", MFD_CLOEXEC);
	if (*ret_fd >= 0 && write(*ret_fd, content, size) == (ssize_t)size &&
	    lseek(*ret_fd, 0, SEEK_SET) == 0)
		return 0;
	return error_set(err, ERR_NO_SPACE, "There is no memory for a signature: %s.",
			 strerror(errno));
}

static void take_output(int fd, struct buf *to)
{
	char part[1024];
	ssize_t n;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return;
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_append(to, part, (size_t)n);
}

/* Appends what it printed. `ret_code` is its exit status, -1 for a signal or a timeout (`limit_ms` -1: none). */
static int run(const char *const *argv, int input, int errors, int limit_ms, struct buf *ret_output,
	       int *ret_code, struct error *err)
{
	AUTO_CLOSE int output = -1;
	struct process process = PROCESS_NONE;
	struct process_end end = {.code = -1};
	int result = memory_with("", &output, err);
	struct process_spec spec = {.program = argv[0],
				    .argv = argv,
				    .input = input,
				    .output = output,
				    .errors = errors};
	if (result == 0)
		result = process_spawn(&spec, &process, err);
	if (result == ERR_NOT_FOUND)
		return error_set(err, ERR_UNAVAILABLE,
				 "ssh-keygen is not installed; install openssh-client.");
	if (result < 0)
		return result;
	struct pollfd ended = {.fd = process.pidfd, .events = POLLIN};
	int ready;
	do
		ready = poll(&ended, 1, limit_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		process_signal(&process, SIGKILL);
	else
		(void)process_ended(&process, &end);
	process_reap(&process);
	process_done(&process);
	take_output(output, ret_output);
	*ret_code = end.code;
	return 0;
}

int ssh_signature_make(const char *key, const char *name_space, const char *text,
		       struct buf *ret_signature, struct error *err)
{
	AUTO_CLOSE int input = -1;
	struct buf output;
	int code = -1;
	const char *const argv[] = {"ssh-keygen", "-q", "-Y", "sign", "-n",
				    name_space,   "-f", key,  NULL};
	int result = memory_with(text, &input, err);
	if (result < 0)
		return result;
	buf_init(&output, OUTPUT_MAX);
	result = run(argv, input, STDERR_FILENO, -1, &output, &code, err);
	if (result == 0 && (code != 0 || output.size == 0))
		result = error_set(err, ERR_INVALID,
				   "ssh-keygen could not sign with \"%s\"; a key with a passphrase "
				   "has to be in the agent (ssh-add).",
				   key);
	if (result == 0)
		buf_append(ret_signature, output.data, output.size);
	buf_done(&output);
	return result;
}

/* ssh-keygen wants the signature as a file. */
static int signature_file(const char *signature, char *path, struct error *err)
{
	size_t size = strlen(signature);
	int fd = mkstemp(path);
	bool written = fd >= 0 && write(fd, signature, size) == (ssize_t)size;
	if (fd >= 0)
		close(fd);
	if (written)
		return 0;
	return error_set(err, ERR_NO_SPACE, "The signature cannot be written to \"%s\": %s.", path,
			 strerror(errno));
}

/* Good "davit" signature with ED25519 key SHA256:... */
static bool read_identity(const char *line, char ret_identity[SSH_IDENTITY_SIZE])
{
	const char *key = strstr(line, " key SHA256:");
	if (strncmp(line, "Good \"", 6) != 0 || !key)
		return false;
	key += strlen(" key ");
	return (size_t)snprintf(ret_identity, SSH_IDENTITY_SIZE, "ssh:%.*s",
				(int)strcspn(key, " \n"), key) < SSH_IDENTITY_SIZE;
}

int ssh_signature_check(const char *name_space, const char *text, const char *signature,
			char ret_identity[SSH_IDENTITY_SIZE], struct error *err)
{
	AUTO_CLOSE int input = -1;
	char path[] = "/tmp/davit-signature-XXXXXX";
	struct buf output;
	int code = -1;
	const char *const argv[] = {"ssh-keygen", "-Y", "check-novalidate", "-n", name_space, "-s",
				    path,         NULL};
	int result = memory_with(text, &input, err);
	if (result == 0)
		result = signature_file(signature, path, err);
	if (result < 0)
		return result;
	buf_init(&output, OUTPUT_MAX);
	result = run(argv, input, -1, CHECK_MS, &output, &code, err);
	unlink(path);
	if (result == 0 && (code != 0 || !read_identity(buf_text(&output), ret_identity)))
		result = error_set(err, ERR_DENIED,
				   "The signature is not one of this answer: sign again, with the "
				   "rollout as it is now.");
	buf_done(&output);
	return result;
}
