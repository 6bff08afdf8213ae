/* SPDX-License-Identifier: Apache-2.0
 * checkout - see checkout.h for the contract. */
#include "drivers/builder/checkout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "drivers/builder/git.h"
#include "os/file.h"

enum {
	ANSWER_MAX = GIT_LINE_MAX,
	SAID_MAX = 300,
	ASK_MS = 60 * 1000,
	COPY_MS = 30 * 60 * 1000,
	SHA1_SIZE = 40,
	SHA256_SIZE = 64,
	INDEX_MAX = 256 << 20,
	SIZES_MAX = 16 << 20
};

bool checkout_is_name(const char *name)
{
	size_t size = strlen(name);
	return size > 0 && size <= CHECKOUT_NAME_MAX && name[0] != '-' && name[0] != '/' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") ==
		       size &&
	       !strstr(name, "..");
}

bool checkout_is_id(const char *text)
{
	size_t size = strlen(text);
	return (size == SHA1_SIZE || size == SHA256_SIZE) &&
	       strspn(text, "0123456789abcdef") == size;
}

static bool has_ref(const struct git_ask *ask, const char *kind, const char *name)
{
	char full[CHECKOUT_NAME_MAX + 32];
	struct error ignored;
	struct buf out;
	snprintf(full, sizeof full, "refs/%s/%s", kind, name);
	const char *const words[] = {"show-ref", "--verify", "--quiet", "--", full, NULL};
	buf_init(&out, ANSWER_MAX);
	bool has = git_run(ask, words, &out, &ignored) == 0;
	buf_done(&out);
	return has;
}

/* The branch that was named, or that HEAD is on; a tag or an id has none. */
static int find_branch(struct checkout *c, const struct git_ask *ask, const char *ref,
		       struct error *err)
{
	char name[ANSWER_MAX] = "";
	struct error ignored; /* a HEAD that is on no branch is no error */
	c->branch[0] = '\0';
	if (strcmp(ref, "HEAD") == 0) {
		const char *const words[] = {"symbolic-ref", "--quiet", "--short", "HEAD", NULL};
		if (git_line(ask, words, name, sizeof name, &ignored) == ERR_CLOSED)
			return error_set(err, ERR_CLOSED, "Cancelled.");
	} else {
		if (has_ref(ask, "heads", ref))
			text_copy(name, sizeof name, ref);
		else if (has_ref(ask, "tags", ref))
			text_copy(c->tag, sizeof c->tag, ref);
	}
	if (checkout_is_name(name))
		text_copy(c->branch, sizeof c->branch, name);
	return 0;
}

/* Subject, author and time; what git writes between them occurs in none of them. */
static int find_facts(struct checkout *c, const struct git_ask *ask, struct error *err)
{
	const char *const words[] = {
		"log", "-1", "--no-show-signature", "--format=%ct%n%ae%n%an <%ae>%n%s", c->commit,
		"--",  NULL};
	struct buf out;
	buf_init(&out, ANSWER_MAX);
	int code = git_run(ask, words, &out, err);
	char *rest = code == 0 && out.data ? out.data : "", *lines[4] = {"", "", "", ""};
	for (size_t i = 0; i < 4 && *rest; i++) {
		size_t size = strcspn(rest, "\n");
		lines[i] = rest;
		rest += size + (rest[size] == '\n');
		lines[i][size] = '\0';
	}
	if (!text_parse_u64(lines[0], INT64_MAX, &c->committed_unix_s))
		c->committed_unix_s = 0;
	if (!text_is_printable(lines[1]) || !text_copy(c->address, sizeof c->address, lines[1]))
		c->address[0] = '\0';
	text_show(lines[2], strlen(lines[2]), c->author, sizeof c->author);
	text_show(lines[3], strlen(lines[3]), c->subject, sizeof c->subject);
	buf_done(&out);
	return code;
}

int checkout_find(const char *directory, const char *ref, const atomic_bool *cancelled,
		  struct checkout *c, struct error *err)
{
	char wanted[CHECKOUT_NAME_MAX + 16];
	const char *const top[] = {"rev-parse", "--show-toplevel", NULL};
	const char *const objects[] = {"rev-parse", "--path-format=absolute", "--git-path",
				       "objects", NULL};
	if (!checkout_is_name(ref)) {
		char shown[SAID_MAX];
		return error_set(
			err, ERR_INVALID,
			"\"%s\" is no name of a commit here: give a branch, a tag (letters, "
			"digits, . _ / -) or a commit's id.",
			text_escape(ref, strlen(ref), shown, sizeof shown));
	}
	memset(c, 0, sizeof *c);
	c->cancelled = cancelled;
	struct git_ask ask = {directory, "find the repository", ASK_MS, NULL, cancelled};
	int code = git_line(&ask, top, c->top, sizeof c->top, err);
	if (code == 0)
		code = git_line(&ask, objects, c->objects, sizeof c->objects, err);
	if (code < 0)
		return code;
	snprintf(wanted, sizeof wanted, "%s^{commit}", ref);
	const char *const id[] = {"rev-parse",        "--verify", "--quiet",
				  "--end-of-options", wanted,     NULL};
	ask.verb = "find the commit";
	code = git_line(&ask, id, c->commit, sizeof c->commit, err);
	if (code == ERR_CLOSED || code == ERR_TIMEOUT || code == ERR_UNSUPPORTED)
		return code;
	if (code < 0 || !checkout_is_id(c->commit))
		return error_set(err, ERR_NOT_FOUND,
				 strcmp(ref, "HEAD") == 0
					 ? "This repository has no commit yet (%s); commit first."
					 : "There is no commit \"%s\" in this repository.",
				 ref);
	ask.verb = "find HEAD";
	const char *const head[] = {"rev-parse", "--verify", "--quiet", "HEAD^{commit}", NULL};
	if (git_line(&ask, head, c->head, sizeof c->head, err) < 0 || !checkout_is_id(c->head))
		text_copy(c->head, sizeof c->head, c->commit); /* a branch that has no commit yet */
	ask.verb = "read the commit";
	code = find_branch(c, &ask, ref, err);
	return code < 0 ? code : find_facts(c, &ask, err);
}

int checkout_file(const struct checkout *c, const char *name, struct buf *to, struct error *err)
{
	char object[CHECKOUT_ID_SIZE + 256];
	snprintf(object, sizeof object, "%s:%s", c->commit, name);
	const char *const words[] = {"cat-file", "blob", object, NULL};
	const struct git_ask ask = {c->top, "read a file", ASK_MS, NULL, c->cancelled};
	int code = git_run(&ask, words, to, err);
	if (code == ERR_INVALID)
		return error_set(err, ERR_NOT_FOUND,
				 "The commit %.12s has no file %s; commit one first.", c->commit,
				 name);
	if (code == 0 && to->overflowed)
		return error_set(err, ERR_LIMIT, "The file %s of commit %.12s is too large.", name,
				 c->commit);
	return code;
}

/* A repository without a past: it borrows its objects, and has nothing else. */
static int make_scratch(const struct checkout *c, const char *scratch, struct error *err)
{
	static const char config[] = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n";
	static const char config256[] = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"
					"[extensions]\n\tobjectformat = sha256\n";
	static const char head[] = "ref: refs/heads/none\n";
	bool sha256 = strlen(c->commit) == SHA256_SIZE;
	char alternates[CHECKOUT_PATH_SIZE + 2];
	int dir = -1;
	int code = file_make_directories(AT_FDCWD, scratch, 0700, err);
	if (code == 0)
		code = file_open_directory(AT_FDCWD, scratch, &dir, err);
	if (code == 0)
		code = file_make_directories(dir, "objects/info", 0700, err);
	if (code == 0)
		code = file_make_directories(dir, "refs", 0700, err);
	if (code == 0)
		code = file_write(dir, "HEAD", head, sizeof head - 1, 0600, err);
	if (code == 0)
		code = file_write(dir, "config", sha256 ? config256 : config,
				  sha256 ? sizeof config256 - 1 : sizeof config - 1, 0600, err);
	snprintf(alternates, sizeof alternates, "%s\n", c->objects);
	if (code == 0)
		code = file_write(dir, "objects/info/alternates", alternates, strlen(alternates),
				  0600, err);
	if (dir >= 0)
		close(dir);
	return code;
}

int checkout_at(const char *repository, const char *commit, const char *scratch,
		const atomic_bool *cancelled, struct checkout *c, struct error *err)
{
	char wanted[CHECKOUT_ID_SIZE + 16], found[CHECKOUT_ID_SIZE];
	memset(c, 0, sizeof *c);
	c->cancelled = cancelled;
	if (!checkout_is_id(commit) || repository[0] != '/')
		return error_set(
			err, ERR_INVALID,
			"A build needs a repository's absolute path and a commit's full id.");
	if (strchr(repository, '\n') || strlen(repository) + sizeof "/objects" > sizeof c->objects)
		return error_set(err, ERR_LIMIT,
				 "The repository's path is too long or has a line break.");
	if (!text_copy(c->top, sizeof c->top, scratch))
		return error_set(err, ERR_LIMIT, "The path %s is too long.", scratch);
	snprintf(c->objects, sizeof c->objects, "%s/objects", repository);
	text_copy(c->commit, sizeof c->commit, commit);
	text_copy(c->head, sizeof c->head, commit);
	int code = make_scratch(c, scratch, err);
	if (code < 0)
		return code;
	snprintf(wanted, sizeof wanted, "%s^{commit}", commit);
	const char *const id[] = {"rev-parse", "--verify", "--quiet", wanted, NULL};
	struct git_ask ask = {scratch, "find the commit", ASK_MS, NULL, cancelled};
	code = git_line(&ask, id, found, sizeof found, err);
	if (code == ERR_CLOSED || code == ERR_TIMEOUT || code == ERR_UNSUPPORTED)
		return code;
	if (code < 0 || !checkout_is_id(found))
		return error_set(err, ERR_NOT_FOUND,
				 "There is no commit %.12s in %s, or the server may not read it.",
				 commit, repository);
	text_copy(c->commit, sizeof c->commit, found);
	text_copy(c->head, sizeof c->head, found);
	ask.verb = "read the commit";
	return find_facts(c, &ask, err);
}

/* A line for each file: its size, or "-" for what has none. */
static int sum_sizes(const struct buf *lines, struct error *err)
{
	uint64_t bytes = 0, files = 0;
	for (const char *p = buf_text(lines); *p; files++) {
		bytes += strtoull(p, NULL, 10);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	if (!lines->overflowed && files <= CHECKOUT_FILES_MAX && bytes <= CHECKOUT_BYTES_MAX)
		return 0;
	return error_set(
		err, ERR_LIMIT,
		"The commit is larger than davit builds: at most %d files, and %llu GiB of "
		"them.",
		CHECKOUT_FILES_MAX, (unsigned long long)(CHECKOUT_BYTES_MAX >> 30));
}

static int check_size(const struct checkout *c, const char *git_dir, const char *directory,
		      struct error *err)
{
	const char *const words[] = {git_dir,   "ls-tree", "-r", "--format=%(objectsize)",
				     c->commit, NULL};
	const struct git_ask ask = {directory, "tell how large the commit is", ASK_MS, NULL,
				    c->cancelled};
	struct buf sizes;
	buf_init(&sizes, SIZES_MAX);
	int code = git_run(&ask, words, &sizes, err);
	sizes.overflowed |= code == ERR_TIMEOUT; /* so many that they cannot be counted */
	if (code == 0 || code == ERR_TIMEOUT)
		code = sum_sizes(&sizes, err);
	buf_done(&sizes);
	return code;
}

int checkout_copy(const struct checkout *c, const char *scratch, const char *to, struct error *err)
{
	char git_dir[CHECKOUT_PATH_SIZE + 16], work_tree[CHECKOUT_PATH_SIZE + 16];
	struct buf ignored;
	struct git_ask ask = {to, "read the commit's tree", COPY_MS, NULL, c->cancelled};
	snprintf(git_dir, sizeof git_dir, "--git-dir=%s", scratch);
	snprintf(work_tree, sizeof work_tree, "--work-tree=%s", to);
	const char *const tree[] = {git_dir, work_tree, "read-tree", c->commit, NULL};
	const char *const files[] = {git_dir, work_tree, "checkout-index",
				     "--all", "--force", NULL};
	int code = make_scratch(c, scratch, err);
	if (code == 0)
		code = file_make_directories(AT_FDCWD, to, 0755, err);
	buf_init(&ignored, ANSWER_MAX);
	if (code == 0)
		code = check_size(c, git_dir, to, err);
	if (code == 0)
		code = git_run(&ask, tree, &ignored, err);
	ask.verb = "copy the commit's files";
	if (code == 0)
		code = git_run(&ask, files, &ignored, err);
	buf_done(&ignored);
	return code;
}

/* Its index says what git knows of the files, so that only what has changed is looked at. */
static int borrow_index(const struct checkout *c, const char *scratch, struct error *err)
{
	char path[CHECKOUT_PATH_SIZE], head[CHECKOUT_ID_SIZE + 1];
	const char *const words[] = {"rev-parse", "--path-format=absolute", "--git-path", "index",
				     NULL};
	const struct git_ask ask = {c->top, "find its index", ASK_MS, NULL, c->cancelled};
	struct buf index;
	AUTO_CLOSE int dir = -1;
	buf_init(&index, INDEX_MAX);
	int code = git_line(&ask, words, path, sizeof path, err);
	if (code == 0)
		code = file_open_directory(AT_FDCWD, scratch, &dir, err);
	if (code == 0)
		code = file_read(AT_FDCWD, path, &index, err);
	if (code == 0)
		code = file_write(dir, "index-of-changes", index.data, index.size, 0600, err);
	buf_done(&index);
	snprintf(head, sizeof head, "%s\n", c->head);
	return code < 0 ? code : file_write(dir, "HEAD", head, strlen(head), 0600, err);
}

int checkout_changes(const struct checkout *c, const char *scratch, struct buf *to,
		     struct error *err)
{
	char git_dir[CHECKOUT_PATH_SIZE + 16], work_tree[CHECKOUT_PATH_SIZE + 16];
	char index[CHECKOUT_PATH_SIZE + 64];
	snprintf(git_dir, sizeof git_dir, "--git-dir=%s", scratch);
	snprintf(work_tree, sizeof work_tree, "--work-tree=%s", c->top);
	snprintf(index, sizeof index, "GIT_INDEX_FILE=%s/index-of-changes", scratch);
	const char *const words[] = {git_dir,
				     work_tree,
				     "status",
				     "--porcelain=v1",
				     "-z",
				     "--no-renames",
				     "--untracked-files=normal",
				     "--ignore-submodules=all",
				     "--",
				     ".",
				     ":(exclude).davit",
				     NULL};
	const char *const variables[] = {index, NULL};
	const struct git_ask ask = {c->top, "look for changes", ASK_MS, variables, c->cancelled};
	int code = borrow_index(c, scratch, err);
	return code < 0 ? code : git_run(&ask, words, to, err);
}
