/* SPDX-License-Identifier: Apache-2.0
 * Signatures by real keys and a real ssh-keygen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "os/ssh_signature.h"

static char directory[] = "/tmp/davit-test-XXXXXX", key[64], fingerprint[128];
static struct error err;

static void shell(const char *command, char *to, size_t size)
{
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	to[fread(to, 1, size - 1, pipe)] = '\0';
	assert_int_equal(pclose(pipe), 0);
}

static int setup(void **state)
{
	(void)state;
	char command[512], line[512] = "";
	assert_non_null(mkdtemp(directory));
	snprintf(key, sizeof key, "%s/key", directory);
	snprintf(command, sizeof command, "ssh-keygen -q -t ed25519 -N '' -f %s </dev/null", key);
	shell(command, line, sizeof line);
	snprintf(command, sizeof command, "ssh-keygen -l -f %s.pub", key);
	shell(command, line, sizeof line);
	assert_int_equal(sscanf(line, "%*s %127s", fingerprint), 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char command[128], ignored[16];
	snprintf(command, sizeof command, "rm -r %s", directory);
	shell(command, ignored, sizeof ignored);
	return 0;
}

static void a_signature_names_its_key(void **state)
{
	(void)state;
	struct buf signature;
	char identity[SSH_IDENTITY_SIZE];
	buf_init(&signature, 16384);
	assert_int_equal(ssh_signature_make(key, "davit", "rollout 42\n", &signature, &err), 0);
	assert_int_equal(
		ssh_signature_check("davit", "rollout 42\n", buf_text(&signature), identity, &err),
		0);
	assert_int_equal(strncmp(identity, "ssh:", 4), 0);
	assert_string_equal(identity + 4, fingerprint);
	buf_done(&signature);
}

static void another_text_or_purpose_is_another_signature(void **state)
{
	(void)state;
	struct buf signature;
	char identity[SSH_IDENTITY_SIZE];
	buf_init(&signature, 16384);
	assert_int_equal(ssh_signature_make(key, "davit", "rollout 42\n", &signature, &err), 0);
	const char *text = buf_text(&signature);
	assert_int_equal(ssh_signature_check("davit", "rollout 43\n", text, identity, &err),
			 ERR_DENIED);
	assert_int_equal(ssh_signature_check("git", "rollout 42\n", text, identity, &err),
			 ERR_DENIED);
	assert_int_equal(ssh_signature_check("davit", "rollout 42\n", "nonsense", identity, &err),
			 ERR_DENIED);
	buf_done(&signature);
}

static void what_is_no_key_cannot_sign(void **state)
{
	(void)state;
	struct buf signature;
	buf_init(&signature, 16384);
	assert_int_equal(ssh_signature_make("/dev/null", "davit", "x", &signature, &err),
			 ERR_INVALID);
	assert_int_equal(signature.size, 0);
	buf_done(&signature);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_names_its_key),
		cmocka_unit_test(another_text_or_purpose_is_another_signature),
		cmocka_unit_test(what_is_no_key_cannot_sign),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
