/* SPDX-License-Identifier: Apache-2.0
 * uacme - see uacme.h for the contract. */
#include "drivers/certificates/uacme.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "os/capture.h"
#include "os/certificate.h"
#include "os/file.h"
#include "os/process.h"

enum {
	PATH_SIZE = 1024,
	ACCOUNT_DIGITS = 16,
	ENVIRONMENT_MAX = 16,
	ARGUMENTS_MAX = 16 + CERTIFICATES_NAMES_MAX,
	SAID_MAX = 64 * 1024,
	WHY_MAX = 400,
	RUNS_MAX = 4,
	FILE_MAX_BYTES = 1 << 18,
};

struct uacme {
	struct certificates certificates; /* first: what is handed out */
	atomic_bool cancelled;
	char directory[PATH_SIZE];
};

/* The token comes from outside: it is a name of base64url, or nothing is done. */
static const char hook[] = "#!/bin/sh\n"
			   "# Written by davit. uacme calls it: METHOD TYPE IDENT TOKEN AUTH\n"
			   "[ \"$2\" = \"$DAVIT_CHALLENGE\" ] || exit 1\n"
			   "case $3 in '' | *[!A-Za-z0-9.-]*) exit 1 ;; esac\n"
			   "case $4 in '' | *[!A-Za-z0-9_-]*) exit 1 ;; esac\n"
			   "name=$4\n"
			   "[ \"$2\" = http-01 ] || name=alpn.$3\n"
			   "umask 077\n"
			   "if [ \"$1\" = begin ]; then\n"
			   "\tprintf '%s' \"$5\" >\"$DAVIT_CHALLENGES/.new\" &&\n"
			   "\t\tmv -f \"$DAVIT_CHALLENGES/.new\" \"$DAVIT_CHALLENGES/$name\"\n"
			   "else\n"
			   "\trm -f \"$DAVIT_CHALLENGES/$name\"\n"
			   "fi\n";

static int too_long(const char *directory, struct error *err)
{
	return error_set(err, ERR_LIMIT,
			 "The path %s is too long for certificates: choose a shorter state "
			 "directory.",
			 directory);
}

static int place(struct certificates *certificates, const char *app, const char *environment,
		 struct certificates_place *ret_place, struct error *err)
{
	const struct uacme *u = (struct uacme *)certificates;
	int size = snprintf(ret_place->certificate, sizeof ret_place->certificate,
			    "%s/sites/%s.%s/site.pem", u->directory, app, environment);
	int other = snprintf(ret_place->challenges, sizeof ret_place->challenges,
			     "%s/sites/%s.%s/challenges", u->directory, app, environment);
	return size >= CERTIFICATES_PATH_SIZE || other >= CERTIFICATES_PATH_SIZE
		       ? too_long(u->directory, err)
		       : 0;
}

static int read_files(struct certificates *certificates, struct certificates_files *files,
		      struct error *err)
{
	struct certificate found = {.names = files->names, .name_count = files->name_count};
	(void)certificates;
	int result = certificate_read(files->certificate, files->key, &found, err);
	if (result == 0) {
		files->covers = found.covers;
		files->from_unix_ms = found.from_unix_s * 1000;
		files->until_unix_ms = found.until_unix_s * 1000;
	}
	return result;
}

static int ready(struct certificates *certificates, struct error *err)
{
	(void)certificates;
	if (process_program_exists(UACME_PROGRAM))
		return 0;
	return error_set(err, ERR_UNSUPPORTED,
			 "Certificates are ordered by uacme, which is not installed here: apt-get "
			 "install uacme.");
}

/* ---- one run of it */

/* The authority's "detail", as uacme shows it, or else uacme's last line; without its full stop. */
static void find_why(char *said, char to[WHY_MAX])
{
	static const char detail[] = "\"detail\": \"";
	char *save = NULL;
	bool told = false;
	text_copy(to, WHY_MAX, "uacme does not say why");
	for (char *line = strtok_r(said, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *found = strstr(line, detail), *quote = strrchr(line, '"');
		if (found && quote > found + strlen(detail)) {
			*quote = '\0';
			snprintf(to, WHY_MAX, "%s", found + strlen(detail));
			told = true;
		} else if (!told && text_starts(line, "uacme: ")) {
			snprintf(to, WHY_MAX, "%s", line + strlen("uacme: "));
		}
	}
	size_t size = strlen(to);
	if (size > 0 && to[size - 1] == '.')
		to[size - 1] = '\0';
	char *end = to; /* JSON's backslashes go, and what would break a line of the log */
	for (const char *c = to; *c; c++)
		if (*c != '\\')
			*end++ = (char)((unsigned char)*c < ' ' || *c == 127 || *c == '"' ? '\''
											  : *c);
	*end = '\0';
}

static size_t fill_environment(char own[3][PATH_SIZE + 32], const char *challenge,
			       const char *challenges, const char *home, const char **to)
{
	static const char *const passed[] = {
		"PATH=", "https_proxy=", "HTTPS_PROXY=", "no_proxy=", "TMPDIR="};
	extern char **environ;
	size_t count = 0;
	for (char **e = environ; *e && count < ENVIRONMENT_MAX - 5; e++)
		for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
			if (text_starts(*e, passed[i]))
				to[count++] = *e;
	snprintf(own[0], sizeof own[0], "DAVIT_CHALLENGE=%s", challenge);
	snprintf(own[1], sizeof own[1], "DAVIT_CHALLENGES=%s", challenges);
	snprintf(own[2], sizeof own[2], "HOME=%s", home);
	for (int i = 0; i < 3; i++)
		to[count++] = own[i];
	to[count++] = "LC_ALL=C"; /* the hook's patterns are of bytes */
	to[count] = NULL;
	return count;
}

/* `ret_why` "": it did what was asked. A nonce that the authority does not take any more is nobody's fault, and uacme
 * itself tries again only once (RFC 8555, 6.5). */
static int run_once(const struct capture *capture, char ret_why[WHY_MAX], bool *ret_again,
		    struct error *err)
{
	struct process_end end;
	struct buf said, unused;
	buf_init(&said, SAID_MAX);
	buf_init(&unused, SAID_MAX);
	int result = capture_run(capture, &unused, &said, &end, err);
	ret_why[0] = '\0';
	*ret_again = false;
	if (result == 0 && (end.signal || end.code != 0)) {
		char *text = strdup(buf_text(&said));
		ASSERT(text);
		*ret_again = strstr(text, "urn:ietf:params:acme:error:badNonce") != NULL;
		find_why(text, ret_why);
		free(text);
	}
	buf_done(&said);
	buf_done(&unused);
	return result;
}

static int run(struct uacme *u, const struct certificates_order *order, const char *account,
	       const char *challenges, const char *const *words, struct error *err)
{
	char hook_path[PATH_SIZE + 8], why[WHY_MAX];
	char own[3][PATH_SIZE + 32];
	const char *environment[ENVIRONMENT_MAX], *argv[ARGUMENTS_MAX];
	snprintf(hook_path, sizeof hook_path, "%s/hook", u->directory);
	const char *begin[] = {UACME_PROGRAM, "-y",     "-f",    "-o", "-t",
			       "EC",          "-c",     account, "-a", order->directory,
			       "-h",          hook_path};
	size_t count = sizeof begin / sizeof begin[0];
	memcpy(argv, begin, sizeof begin);
	for (size_t i = 0; words[i]; i++)
		argv[count++] = words[i];
	argv[count] = NULL;
	fill_environment(own, order->challenge, challenges, account, environment);
	struct capture capture = {.argv = argv,
				  .environment = environment,
				  .directory = account,
				  .deadline_ms = CERTIFICATES_ORDER_MS,
				  .cancelled = &u->cancelled};
	int result = ready(&u->certificates, err);
	bool again = result == 0;
	for (int runs = 0; again && runs < RUNS_MAX; runs++) {
		result = run_once(&capture, why, &again, err);
		if (result == 0 && why[0])
			result = error_set(err, ERR_DENIED, "%s gave no certificate for %s: %s.",
					   order->directory, order->names[0], why);
	}
	return result;
}

/* ---- an order */

/* One account at each authority for each address: its key is made once. */
static int open_account(struct uacme *u, const struct certificates_order *order,
			const char *challenges, char account[PATH_SIZE], struct error *err)
{
	char text[1024], hex[DIGEST_HEX_SIZE], done[PATH_SIZE + 16];
	int size = snprintf(text, sizeof text, "%s\n%s", order->directory, order->email);
	struct digest digest = digest_of(text, (size_t)size);
	if (snprintf(account, PATH_SIZE, "%s/accounts/%.*s", u->directory, ACCOUNT_DIGITS,
		     digest_format(&digest, hex)) >= PATH_SIZE)
		return too_long(u->directory, err);
	snprintf(done, sizeof done, "%s/registered", account);
	int result = file_make_directories(AT_FDCWD, account, 0700, err);
	if (result < 0 || access(done, F_OK) == 0)
		return result;
	const char *words[] = {"new", order->email, NULL};
	result = run(u, order, account, challenges, words, err);
	return result < 0 ? result : file_write(AT_FDCWD, done, text, (size_t)size, 0600, err);
}

/* Judged, and then put in its place in one step: chain and key in one file are never of two orders. */
static int install(const struct certificates_order *order, const char *account, const char *to,
		   struct error *err)
{
	char chain[2 * PATH_SIZE], key[2 * PATH_SIZE];
	struct certificate found = {.names = order->names, .name_count = order->name_count};
	struct buf text;
	snprintf(chain, sizeof chain, "%s/%s/cert.pem", account, order->names[0]);
	snprintf(key, sizeof key, "%s/private/%s/key.pem", account, order->names[0]);
	int result = certificate_read(chain, key, &found, err);
	if (result == 0 && !found.covers)
		result = error_set(
			err, ERR_INVALID,
			"The certificate that %s gave for %s is not for all the hosts that "
			"were asked for.",
			order->directory, order->names[0]);
	buf_init(&text, FILE_MAX_BYTES);
	text.secret = true;
	if (result == 0)
		result = file_read(AT_FDCWD, key, &text, err);
	if (result == 0)
		buf_puts(&text, "\n");
	if (result == 0)
		result = file_read(AT_FDCWD, chain, &text, err);
	if (result == 0)
		result = file_write(AT_FDCWD, to, text.data, text.size, 0600, err);
	buf_done(&text);
	return result;
}

/* What an earlier order left: the next certificate has another key. */
static int forget(const char *account, const char *name, struct error *err)
{
	char path[2 * PATH_SIZE];
	snprintf(path, sizeof path, "%s/private/%s", account, name);
	int result = file_remove_tree(AT_FDCWD, path, err);
	snprintf(path, sizeof path, "%s/%s", account, name);
	return result < 0 ? result : file_remove_tree(AT_FDCWD, path, err);
}

static int issue(struct uacme *u, const struct certificates_order *order,
		 const struct certificates_place *at, struct error *err)
{
	char account[PATH_SIZE];
	const char *words[CERTIFICATES_NAMES_MAX + 2] = {"issue"};
	for (uint32_t i = 0; i < order->name_count; i++)
		words[i + 1] = order->names[i];
	int result = open_account(u, order, at->challenges, account, err);
	if (result == 0)
		result = forget(account, order->names[0], err);
	if (result == 0)
		result = run(u, order, account, at->challenges, words, err);
	if (result == 0)
		result = install(order, account, at->certificate, err);
	struct error ignored; /* the key is in its place, or good for nothing */
	(void)!forget(account, order->names[0], &ignored);
	return result;
}

static int order(struct certificates *certificates, const struct certificates_order *o,
		 struct error *err)
{
	struct uacme *u = (struct uacme *)certificates;
	struct certificates_place at;
	struct error ignored;
	char path[PATH_SIZE + 8];
	ASSERT(o->name_count > 0 && o->name_count <= CERTIFICATES_NAMES_MAX);
	int result = place(certificates, o->app, o->environment, &at, err);
	if (result == 0)
		result = file_remove_tree(AT_FDCWD, at.challenges, err);
	if (result == 0)
		result = file_make_directories(AT_FDCWD, at.challenges, 0700, err);
	snprintf(path, sizeof path, "%s/hook", u->directory);
	if (result == 0)
		result = file_write(AT_FDCWD, path, hook, sizeof hook - 1, 0700, err);
	if (result == 0)
		result = issue(u, o, &at, err);
	(void)!file_remove_tree(AT_FDCWD, at.challenges, &ignored); /* made anew by the next one */
	return result;
}

static const struct certificates_ops ops = {
	.place = place, .read = read_files, .ready = ready, .order = order};

int uacme_new(const char *directory, struct certificates **ret_certificates, struct error *err)
{
	struct uacme *u = mem_zero(1, sizeof *u);
	if (!text_copy(u->directory, sizeof u->directory, directory)) {
		free(u);
		return too_long(directory, err);
	}
	u->certificates.ops = &ops;
	*ret_certificates = &u->certificates;
	return 0;
}

void uacme_cancel(struct certificates *certificates)
{
	if (certificates)
		atomic_store(&((struct uacme *)certificates)->cancelled, true);
}

void uacme_free(struct certificates *certificates)
{
	free(certificates);
}
