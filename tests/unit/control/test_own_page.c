/* SPDX-License-Identifier: Apache-2.0
 * A maintenance page of one's own: which releases are refused for it, and what the gateway is told. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/own_page.h"
#include "world.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server, instances: 1, health: { path: /up, min_healthy: 500ms } }\n"
	"environments:\n"
	"  prod:\n"
	"    listen: \"0.0.0.0:8080\"\n"
	"    strategy: recreate\n"
	"    requests: { maintenance: { page: public/off.html } }\n"
	"  dev: { listen: \"0.0.0.0:8081\" }\n";

static char directory[64], page[128];

static void write_page(size_t size)
{
	int fd = open(page, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static int set_up(void **state)
{
	char public[96];
	(void)state;
	text_copy(directory, sizeof directory, "/tmp/davit-page.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(public, sizeof public, "%s/public", directory);
	assert_int_equal(mkdir(public, 0755), 0);
	snprintf(page, sizeof page, "%s/off.html", public);
	world_open();
	world.files = directory;
	return 0;
}

static int tear_down(void **state)
{
	char public[96];
	(void)state;
	world_close();
	unlink(page);
	snprintf(public, sizeof public, "%s/public", directory);
	rmdir(public);
	rmdir(directory);
	return 0;
}

static int add(const char *text)
{
	struct control_caller caller = world_caller("");
	struct control_release release = {.config_text = text,
					  .config_name = "davit.yaml",
					  .artifact = digest_of("v1", 2),
					  .files = 1};
	char id[DIGEST_HEX_SIZE];
	bool existed;
	text_copy(release.environment, sizeof release.environment, "prod");
	return control_add_release(world.control, &caller, &release, id, &existed, &world.err);
}

static bool said(const char *part)
{
	return strstr(world.err.text, part) != NULL;
}

static void a_release_without_its_page_is_refused(void **state)
{
	(void)state;
	assert_int_equal(add(yaml), ERR_INVALID);
	assert_true(said("Environment \"prod\""));
	assert_true(said("\"public/off.html\" is no file of the release"));
	write_page(0);
	assert_int_equal(add(yaml), ERR_INVALID);
	assert_true(said("is empty"));
	write_page(ROUTER_PAGE_MAX + 1);
	assert_int_equal(add(yaml), ERR_INVALID);
	assert_true(said("has 65537 bytes, and may have 65536"));
	unlink(page);
	assert_int_equal(symlink("../davit.yaml", page), 0);
	assert_int_equal(add(yaml), ERR_INVALID);
	unlink(page);
	assert_int_equal(mkdir(page, 0755), 0);
	assert_int_equal(add(yaml), ERR_INVALID);
	assert_true(said("is no file"));
	rmdir(page);
	write_page(ROUTER_PAGE_MAX);
	assert_int_equal(add(yaml), 0);
}

static void a_page_stays_inside_of_its_release(void **state)
{
	static const char outside[] = "app: shop\n"
				      "service: { run: bin/server }\n"
				      "environments:\n"
				      "  prod:\n"
				      "    listen: \"0.0.0.0:8080\"\n"
				      "    requests: { maintenance: { page: ../secret } }\n";
	(void)state;
	assert_int_equal(add(outside), ERR_INVALID);
	assert_true(said("a path inside the release"));
}

static void the_gateway_is_told_the_file_of_the_live_release(void **state)
{
	(void)state;
	struct control_caller caller = world_caller("");
	write_page(100);
	world_release("prod", "v1", yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	assert_string_equal(world_traffic("shop", "prod")->document->maintenance_page, page);
	/* Read-only needs none; letting nobody in does. */
	unlink(page);
	assert_int_equal(control_maintenance(world.control, &caller, "prod", CONTROL_READ_ONLY, "",
					     &world.err),
			 0);
	assert_int_equal(control_maintenance(world.control, &caller, "prod", CONTROL_MAINTENANCE,
					     "", &world.err),
			 ERR_INVALID);
	assert_true(said("Release v1: The maintenance page"));
	write_page(100);
	assert_int_equal(control_maintenance(world.control, &caller, "prod", CONTROL_MAINTENANCE,
					     "", &world.err),
			 0);
	world_run(2000);
	assert_int_equal(world_traffic("shop", "prod")->document->mode, ROUTER_MAINTENANCE);
	assert_string_equal(world_traffic("shop", "prod")->document->maintenance_page, page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_release_without_its_page_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_page_stays_inside_of_its_release, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_gateway_is_told_the_file_of_the_live_release,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
