/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/preview_link.c: a link makes a cookie of a token that holds, and nothing of it goes anywhere else. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/preview_token.h"
#include "base/text.h"
#include "rig.h"

enum { LIFE_S = 3600 };

static char token[PREVIEW_TOKEN_SIZE];

static struct rig *start(void)
{
	struct rig *rig = rig_start_one();
	struct table_environment *e = &rig->table->environments[0];
	e->preview_key[0] = 7;
	e->log = TABLE_LOG_TEXT;
	rig_apply(rig);
	preview_token_make(e->preview_key, "see-v2", (uint64_t)time(NULL) + LIFE_S, token);
	return rig;
}

/* The answer's head to METHOD TARGET. */
static const char *asked(struct rig *rig, const char *method, const char *target)
{
	char request[4096];
	int client = rig_connect(rig);
	snprintf(request, sizeof request,
		 "%s %s HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n", method, target);
	rig_send(client, request);
	const char *head = rig_until(client, "\r\n\r\n");
	close(client);
	return head;
}

static const char *link_to(const char *rest)
{
	static char link[1024];
	snprintf(link, sizeof link, PREVIEW_LINK_PATH "?token=%s%s", token, rest);
	return link;
}

static void a_token_that_holds_becomes_a_cookie(void **state)
{
	(void)state;
	struct rig *rig = start();
	const char *head = asked(rig, "GET", link_to(""));
	unsigned left = 0;
	rig_assert_text(head, "HTTP/1.1 303 See Other\r\n");
	rig_assert_text(head, "Location: /\r\n");
	rig_assert_text(head, "Referrer-Policy: no-referrer\r\n");
	rig_assert_text(head, "Cache-Control: no-store\r\n");
	rig_assert_text(head, "; HttpOnly; SameSite=Lax\r\n"); /* in clear without Secure */
	const char *cookie = strstr(head, "Set-Cookie: davit-preview=");
	assert_non_null(cookie);
	cookie += strlen("Set-Cookie: davit-preview=");
	assert_memory_equal(cookie, token, strlen(token));
	assert_int_equal(sscanf(cookie + strlen(token), "; Path=/; Max-Age=%u;", &left), 1);
	assert_in_range(left, LIFE_S - 5, LIFE_S);
	rig_assert_text(asked(rig, "HEAD", link_to("")), "HTTP/1.1 303 ");
	/* Also below a path, and while nobody is let in. */
	rig->table->environments[0].mode = TABLE_MODE_MAINTENANCE;
	rig_apply(rig);
	char deep[1024];
	snprintf(deep, sizeof deep, "/shop%s", link_to("&to=%2Fshop"));
	rig_assert_text(asked(rig, "GET", deep), "Location: /shop\r\n");
	assert_false(rig_pending(rig, 0) || rig_pending(rig, 1));
	rig_stop(rig);
}

static void what_it_goes_on_to_is_a_path_here(void **state)
{
	static const char *const others[] = {"&to=//evil.example",
					     "&to=https://evil.example/",
					     "&to=/%5Cevil.example",
					     "&to=%2f%2fevil.example",
					     "&to=/%09/evil.example",
					     "&to=/a%0d%0aX-A:%20b",
					     "&to=",
					     "&to=evil"};
	(void)state;
	struct rig *rig = start();
	rig_assert_text(asked(rig, "GET", link_to("&to=/cart%3Fa=1%26b=2")),
			"Location: /cart?a=1&b=2\r\n");
	rig_assert_text(asked(rig, "GET", link_to("&to=/caf%C3%A9")), "Location: /caf%C3%A9\r\n");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		const char *head = asked(rig, "GET", link_to(others[i]));
		rig_assert_text(head, "HTTP/1.1 400 ");
		assert_null(strstr(head, "Location"));
		assert_null(strstr(head, "Set-Cookie"));
	}
	/* The default is not made of what was asked for. */
	char twice[1024];
	snprintf(twice, sizeof twice, "//evil.example%s", link_to(""));
	rig_assert_text(asked(rig, "GET", twice), "Location: /\r\n");
	char large[4096];
	size_t size = (size_t)snprintf(large, sizeof large, "%s&to=/", link_to(""));
	memset(large + size, 'a', 2100);
	large[size + 2100] = '\0';
	rig_assert_text(asked(rig, "GET", large), "HTTP/1.1 400 ");
	rig_stop(rig);
}

static void any_other_token_is_refused(void **state)
{
	(void)state;
	struct rig *rig = start();
	const uint8_t *key = rig->table->environments[0].preview_key;
	const char *head = NULL;
	for (int i = 0; i < 6; i++) {
		preview_token_make(key, i == 2 ? "see-v3" : "see-v2",
				   (uint64_t)time(NULL) + (i == 1 ? 0 : LIFE_S), token);
		if (i == 0)
			token[strlen(token) - 1] ^= 1;
		if (i > 2)
			text_copy(token, sizeof token, i == 3 ? "" : i == 4 ? "see-v2" : "%");
		head = asked(rig, "GET", link_to(""));
		rig_assert_text(head, "HTTP/1.1 403 Forbidden\r\n");
		rig_assert_text(head, "X-Davit-Error: preview-link\r\n");
		rig_assert_text(head, "Referrer-Policy: no-referrer\r\n");
		assert_null(strstr(head, "Set-Cookie"));
	}
	rig_assert_text(asked(rig, "GET", PREVIEW_LINK_PATH), "HTTP/1.1 403 ");
	head = asked(rig, "POST", link_to(""));
	rig_assert_text(head, "HTTP/1.1 405 ");
	rig_assert_text(head, "Allow: GET, HEAD\r\n");
	assert_false(rig_pending(rig, 0) || rig_pending(rig, 1));
	rig_stop(rig);
}

static void the_access_log_has_no_token(void **state)
{
	(void)state;
	struct rig *rig = start();
	asked(rig, "GET", link_to("&to=/a"));
	char line[2048] = "";
	for (size_t size = 0; !strchr(line, '\n'); line[size] = 0)
		size += (size_t)read(rig->log_fds[0], line + size, 1);
	rig_assert_text(line, " target=\"" PREVIEW_LINK_PATH "\" status=303 ");
	assert_null(strstr(line, "token"));
	assert_null(strstr(line, token));
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_that_holds_becomes_a_cookie),
		cmocka_unit_test(what_it_goes_on_to_is_a_path_here),
		cmocka_unit_test(any_other_token_is_refused),
		cmocka_unit_test(the_access_log_has_no_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
