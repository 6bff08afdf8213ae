/* SPDX-License-Identifier: Apache-2.0
 * signed_tag - see signed_tag.h for the contract. */
#include "drivers/builder/signed_tag.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "drivers/builder/checkout.h"
#include "drivers/builder/git.h"
#include "os/capture.h"
#include "os/file.h"

enum {
	ASK_MS = 60 * 1000,
	OBJECT_MAX = 256 << 10,
	SAID_MAX = 4096,
	NAME_SHOWN = 300,
	SETTING_SIZE = 2048
};

static const char SIGNATURE[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char SIGNATURE_FILE[] = "tag.sig";

static struct git_ask ask_in(const struct signed_tag *tag, const char *verb)
{
	return (struct git_ask){tag->scratch, verb, ASK_MS, NULL, tag->cancelled};
}

/* What git does not take is a no; what keeps it from looking stays what it is. */
static int refuse(const struct signed_tag *tag, int code, struct error *err, const char *why)
{
	return code != ERR_INVALID
		       ? code
		       : error_set(err, ERR_DENIED, "The tag %s is not taken: %s.", tag->name, why);
}

/* The object that the ref names just now. */
static int find_object(const struct signed_tag *tag, char id[CHECKOUT_ID_SIZE], struct error *err)
{
	char git_dir[CHECKOUT_PATH_SIZE + 16], ref[CHECKOUT_NAME_MAX + 16];
	const char *const words[] = {
		git_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref, NULL};
	const struct git_ask ask = ask_in(tag, "find the tag");
	snprintf(git_dir, sizeof git_dir, "--git-dir=%s", tag->repository);
	snprintf(ref, sizeof ref, "refs/tags/%s", tag->name);
	int code = git_line(&ask, words, id, CHECKOUT_ID_SIZE, err);
	if (code == 0 && !checkout_is_id(id))
		code = ERR_INVALID;
	return code < 0 ? refuse(tag, code, err, "it is not in the repository any more") : 0;
}

static int read_object(const struct signed_tag *tag, const char *id, struct buf *to,
		       struct error *err)
{
	const struct git_ask ask = ask_in(tag, "read the tag");
	const char *const words[] = {"cat-file", "tag", id, NULL};
	int code = git_run(&ask, words, to, err);
	if (code == ERR_INVALID)
		return refuse(tag, code, err,
			      "a signed one is asked for, and this one is no tag object; make it "
			      "with \"git tag -s\"");
	if (code == 0 && (to->overflowed || strlen(buf_text(to)) != to->size))
		code = refuse(tag, ERR_INVALID, err, "it is too large, or no text");
	return code;
}

/* Git takes the last one that begins a line, and so do we: one that stands in the message says nothing. */
static const char *find_signature(const char *text)
{
	const char *found = NULL;
	for (const char *at = text; (at = strstr(at, SIGNATURE)); at++)
		if (at > text && at[-1] == '\n')
			found = at;
	return found;
}

/* "KEY VALUE\n", the next line of the head. */
static bool take_header(const char **at, const char *key, const char *value)
{
	size_t key_size = strlen(key), size = strlen(value);
	const char *line = *at;
	if (strncmp(line, key, key_size) != 0 || line[key_size] != ' ' ||
	    strncmp(line + key_size + 1, value, size) != 0 || line[key_size + 1 + size] != '\n')
		return false;
	*at = line + key_size + size + 2;
	return true;
}

/* Its head has the three in this order, or git would not have it. */
static int check_head(const struct signed_tag *tag, const char *text, struct error *err)
{
	char shown[NAME_SHOWN];
	if (!take_header(&text, "object", tag->commit) || !take_header(&text, "type", "commit"))
		return error_set(err, ERR_DENIED,
				 "The tag %s is not taken: it does not stand at commit %.12s.",
				 tag->name, tag->commit);
	if (take_header(&text, "tag", tag->name))
		return 0;
	text += text_starts(text, "tag ") ? 4 : 0;
	size_t size = strcspn(text, "\n");
	return error_set(err, ERR_DENIED,
			 "The tag %s is not taken: what was signed calls itself \"%s\".", tag->name,
			 text_escape(text, size, shown, sizeof shown));
}

/* Whose signature it is, as far as the time goes that the tag names. */
static int verify(const struct signed_tag *tag, const char *id, struct error *err)
{
	char signers[SETTING_SIZE];
	const struct git_ask ask = ask_in(tag, "verify the tag");
	const char *const words[] = {"-c",         signers,
				     "-c",         "gpg.ssh.program=ssh-keygen",
				     "-c",         "gpg.ssh.revocationFile=",
				     "-c",         "gpg.program=false",
				     "-c",         "gpg.x509.program=false",
				     "verify-tag", "--",
				     id,           NULL};
	struct buf out;
	snprintf(signers, sizeof signers, "gpg.ssh.allowedSignersFile=%s", tag->signers);
	buf_init(&out, SAID_MAX);
	int code = git_run(&ask, words, &out, err);
	buf_done(&out);
	return code < 0 ? refuse(tag, code, err,
				 "its signature is of none of the server's allowed signers, or was "
				 "not allowed when it was made")
			: 0;
}

/* Whether its key is allowed now: a tag with the date of yesterday is no way around the end of a key. */
static int still_allowed(const struct signed_tag *tag, const char *signature, struct error *err)
{
	static const char *const variables[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
						"HOME=/nonexistent", "LC_ALL=C", NULL};
	const char *const argv[] = {"ssh-keygen",   "-Y", "find-principals", "-s",
				    SIGNATURE_FILE, "-f", tag->signers,      NULL};
	const struct capture capture = {.argv = argv,
					.environment = variables,
					.directory = tag->scratch,
					.deadline_ms = ASK_MS,
					.cancelled = tag->cancelled};
	struct process_end end = {.code = -1};
	struct buf out, errors;
	AUTO_CLOSE int dir = -1;
	int code = file_open_directory(AT_FDCWD, tag->scratch, &dir, err);
	if (code == 0)
		code = file_write(dir, SIGNATURE_FILE, signature, strlen(signature), 0600, err);
	if (code < 0)
		return code;
	buf_init(&out, SAID_MAX);
	buf_init(&errors, SAID_MAX);
	code = capture_run(&capture, &out, &errors, &end, err);
	buf_done(&out);
	buf_done(&errors);
	if (code == ERR_NOT_FOUND)
		return error_set(err, ERR_UNSUPPORTED,
				 "The command \"ssh-keygen\" is not installed; install it.");
	if (code == 0 && end.code != 0)
		code = refuse(tag, ERR_INVALID, err,
			      "the key that signed it is not allowed any more");
	return code;
}

int signed_tag_check(const struct signed_tag *tag, struct error *err)
{
	char id[CHECKOUT_ID_SIZE];
	struct buf object;
	if (!tag->signers[0])
		return error_set(err, ERR_DENIED,
				 "The tag %s is not taken: a signed one is asked for, and the "
				 "server's own file names no \"allowed_signers\".",
				 tag->name);
	if (!checkout_is_name(tag->name))
		return error_set(err, ERR_DENIED, "A tag of this name cannot be verified.");
	int code = find_object(tag, id, err);
	if (code < 0)
		return code;
	buf_init(&object, OBJECT_MAX);
	code = read_object(tag, id, &object, err);
	const char *signature = code == 0 ? find_signature(buf_text(&object)) : NULL;
	if (code == 0 && !signature)
		code = refuse(
			tag, ERR_INVALID, err,
			"it has no ssh signature; make it with \"git -c gpg.format=ssh tag -s\"");
	if (code == 0)
		code = check_head(tag, buf_text(&object), err);
	if (code == 0)
		code = verify(tag, id, err);
	if (code == 0)
		code = still_allowed(tag, signature, err);
	buf_done(&object);
	return code;
}
