/* SPDX-License-Identifier: Apache-2.0
 * sandbox_words - see sandbox_words.h for the contract. What a sandbox sees of the machine is here and nowhere else. */
#include "drivers/builder/sandbox_words.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "drivers/builder/sandbox.h"

/* Compilers, interpreters and linkers need these of /etc. Nothing in them is secret. */
static const char *const etc_files[] = {
	"/etc/alternatives",    "/etc/ld.so.cache",     "/etc/ld.so.conf",
	"/etc/ld.so.conf.d",    "/etc/localtime",       "/etc/mime.types",
	"/etc/java-17-openjdk", "/etc/java-21-openjdk", "/etc/maven",
	"/etc/python3",         "/etc/python3.11",      "/etc/perl",
	"/etc/protocols",       "/etc/services",        "/etc/ssl",
	"/etc/ca-certificates", "/etc/crypto-policies", "/etc/pki/tls",
	"/etc/pki/ca-trust"};

/* The network's names, for a stage that may use it. */
static const char *const network_files[] = {"/etc/resolv.conf", "/etc/nsswitch.conf",
					    "/etc/gai.conf"};

static const char *const made[] = {"/etc", "/etc/pki",   "/home",
				   "/run", "/run/davit", "/run/davit/bin"};

static const char *const top[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

void words_add(struct words *words, const char *a, const char *b, const char *c)
{
	const char *const three[] = {a, b, c};
	for (size_t i = 0; i < 3 && three[i]; i++) {
		ASSERT(words->count < WORDS_MAX);
		words->list[words->count++] = three[i];
	}
	words->list[words->count] = NULL;
}

/* Where /usr holds everything, /bin and its like are links into it; else they are directories of their own. */
static void add_top(struct words *words)
{
	for (size_t i = 0; i < sizeof top / sizeof top[0]; i++) {
		struct stat about;
		char *target = words->links[i];
		if (lstat(top[i], &about) != 0)
			continue;
		ssize_t size =
			S_ISLNK(about.st_mode) ? readlink(top[i], target, WORDS_LINK_SIZE - 1) : 0;
		if (size > 0) {
			target[size] = '\0';
			words_add(words, "--symlink", target, top[i]);
		} else if (size == 0) {
			words_add(words, "--ro-bind", top[i], top[i]);
		}
	}
}

void words_begin(struct words *words, bool network)
{
	static char user[12]; /* always the same */
	snprintf(user, sizeof user, "%d", SANDBOX_USER_INSIDE);
	memset(words, 0, sizeof *words);
	words_add(words, "bwrap", "--die-with-parent", "--new-session");
	words_add(words, "--unshare-ipc", "--unshare-pid", "--unshare-uts");
	words_add(words, "--unshare-cgroup-try", NULL, NULL);
	if (!network)
		words_add(words, "--unshare-net", NULL, NULL);
	if (geteuid() == 0) {
		/* To become the stage's own user; then they are gone. */
		words_add(words, "--cap-drop", "ALL", NULL);
		words_add(words, "--cap-add", "CAP_SETUID", NULL);
		words_add(words, "--cap-add", "CAP_SETGID", NULL);
	} else {
		words_add(words, "--unshare-user", NULL, NULL);
		words_add(words, "--uid", user, NULL);
		words_add(words, "--gid", user, NULL);
	}
	words_add(words, "--hostname", "davit-build", "--clearenv");
	words_add(words, "--ro-bind", "/usr", "/usr");
	add_top(words);
	words_add(words, "--proc", "/proc", NULL);
	words_add(words, "--dev", "/dev", NULL);
	/* What is made on the way to a mount would be for root's eyes only. */
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
		words_add(words, "--dir", made[i], NULL);
	for (size_t i = 0; i < sizeof etc_files / sizeof etc_files[0]; i++)
		words_add(words, "--ro-bind-try", etc_files[i], etc_files[i]);
	for (size_t i = 0; network && i < sizeof network_files / sizeof network_files[0]; i++)
		words_add(words, "--ro-bind-try", network_files[i], network_files[i]);
}
