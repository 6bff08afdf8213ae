/* SPDX-License-Identifier: Apache-2.0
 *
 * shop - a small shop: items, carts, news. The service of the demo.
 *
 * WHAT  GET /            the front page
 *       GET /item/N      an item; ?bytes=B asks for a page of that length
 *       POST /cart/N     put what the body says into cart N; answers with the cart's total
 *       GET /events      news as server-sent events
 *       GET /up          200 while it can serve
 *
 * HOW   $PORT (or --port) says where to listen. What differs between releases stands in
 *       release.conf in the release's directory, the working directory of the process:
 *           version=v3         what it calls itself where davit does not say
 *           stock=yes          items show how many are left (since v2)
 *           discounts=yes      carts get the discount of their customer's group, and items show what
 *                              others bought with them (since v3)
 *
 * FAULTS As shops have them. In every release one cart of 250 meets a payment service that is away for a moment:
 *       503. v3 has two more: there are 25 groups of customers, and the table of discounts has 24; the carts of
 *       the last group fail. And for a few popular items it takes long to find what others bought. Nothing tells
 *       davit.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "agreement.h"

static const char front_page[] = "<title>Shop</title><h1>Shop</h1>\n";

enum {
	CARTS = 4096,
	GROUPS = 25,
	PAYMENT_HICCUP = 250,
	POPULAR = 18,
	LOOKUP_MS = 60,
	GRACE_MS = 20000
};

static struct {
	char version[32];
	bool stock, discounts;
} release = {.version = "v1"};

static uint64_t cart_totals[CARTS]; /* cents; an atomic a cart */

static const unsigned discount_percent[] = {0, 2, 3,  5, 10, 0, 2, 3,  5, 10, 0, 2,
					    3, 5, 10, 0, 2,  3, 5, 10, 0, 2,  3, 5};

static void read_release(void)
{
	char line[128], value[32];
	FILE *file = fopen("release.conf", "re");
	while (file && fgets(line, sizeof line, file)) {
		const char *equals = strchr(line, '=');
		if (!equals)
			continue;
		snprintf(value, sizeof value, "%.*s", (int)strcspn(equals + 1, "\r\n"), equals + 1);
		if (strncmp(line, "version=", 8) == 0)
			memcpy(release.version, value, sizeof value);
		else if (strncmp(line, "stock=", 6) == 0)
			release.stock = strcmp(value, "yes") == 0;
		else if (strncmp(line, "discounts=", 10) == 0)
			release.discounts = strcmp(value, "yes") == 0;
	}
	if (file)
		fclose(file);
}

/* The total after the cart's discount; false when there is none for its group. */
static bool discounted(uint64_t cart, uint64_t total, uint64_t *ret_total)
{
	uint64_t group = cart % GROUPS;
	if (!release.discounts) {
		*ret_total = total;
		return true;
	}
	if (group >= sizeof discount_percent / sizeof *discount_percent)
		return false;
	*ret_total = total - total * discount_percent[group] / 100;
	return true;
}

static void serve_cart(struct http_exchange *x, uint64_t cart)
{
	static uint64_t served;
	char text[160];
	if (__atomic_add_fetch(&served, 1, __ATOMIC_RELAXED) % PAYMENT_HICCUP == 0) {
		http_text(x, 503, "The payment service does not answer. Try again.\n");
		return;
	}
	uint64_t price = 100 + x->body_size, total;
	uint64_t *slot = &cart_totals[cart % CARTS];
	uint64_t sum = __atomic_add_fetch(slot, price, __ATOMIC_RELAXED);
	if (!discounted(cart, sum, &total)) {
		fprintf(stderr, "cart %" PRIu64 ": no discount for group %" PRIu64 "\n", cart,
			cart % GROUPS);
		http_text(x, 500, "The total of this cart could not be computed.\n");
		return;
	}
	int size = snprintf(text, sizeof text,
			    "{\"cart\": %" PRIu64 ", \"total\": %" PRIu64 ".%02u}\n", cart,
			    total / 100, (unsigned)(total % 100));
	agreement_answer(x, "application/json", text, (size_t)size, false);
}

static void serve_item(struct http_exchange *x, uint64_t item)
{
	char text[200];
	int size = snprintf(text, sizeof text, "Item %" PRIu64 ", %" PRIu64 ".95 EUR\n", item,
			    1 + item % 90);
	if (release.discounts && item % POPULAR == 0) {
		struct timespec lookup = {0, LOOKUP_MS * 1000000L};
		nanosleep(&lookup, NULL); /* all orders of the year are read */
	}
	if (release.stock)
		size += snprintf(text + size, sizeof text - (size_t)size,
				 "%" PRIu64 " left in stock\n", item * 17 % 40);
	agreement_page(x, text, http_query(x, "bytes", (uint64_t)size),
		       http_query(x, "chunked", 0) == 1);
}

static void serve(struct http_exchange *x)
{
	bool get = strcmp(x->method, "GET") == 0;
	agreement_sign(x);
	if (get && strcmp(x->path, "/up") == 0)
		http_text(x, 200, "up\n");
	else if (get && strcmp(x->path, "/") == 0)
		http_answer(x, 200, "text/html", front_page, sizeof front_page - 1);
	else if (get && strncmp(x->path, "/item/", 6) == 0)
		serve_item(x, strtoull(x->path + 6, NULL, 10));
	else if (strcmp(x->method, "POST") == 0 && strncmp(x->path, "/cart/", 6) == 0)
		serve_cart(x, strtoull(x->path + 6, NULL, 10));
	else if (get && strcmp(x->path, "/events") == 0)
		agreement_events(x, http_query(x, "from", 0), http_query(x, "n", 10),
				 http_query(x, "ms", 1000));
	else
		http_text(x, 404, "There is no such page.\n");
}

int main(int argc, char **argv)
{
	const char *port = argc == 3 && strcmp(argv[1], "--port") == 0 ? argv[2] : getenv("PORT");
	if (!port) {
		fprintf(stderr, "usage: shop-server --port PORT (or set PORT)\n");
		return 2;
	}
	read_release();
	agreement_init(release.version);
	int listener = http_listen(port);
	if (listener < 0) {
		fprintf(stderr, "shop-server: cannot listen on %s: %s\n", port, strerror(errno));
		return 1;
	}
	fprintf(stderr, "shop %s listens on %s\n", agreement_release(), port);
	http_serve(listener, serve, GRACE_MS);
	fprintf(stderr, "shop %s stopped\n", agreement_release());
	return 0;
}
