/* SPDX-License-Identifier: Apache-2.0
 * yaml - see yaml.h for the contract.
 *
 * The tree is built from libfyaml's events, not taken from its document: the document loader resolves
 * aliases and has its own words for what is wrong, and here every bound is ours. The builder keeps a
 * stack of open collections and never recurses. */
#include "config/yaml.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

struct builder {
	struct yaml *tree;
	const char *file;
	struct error *err;
	struct yaml_node *open[YAML_DEPTH_MAX];
	struct yaml_node *pending_key[YAML_DEPTH_MAX]; /* of a mapping: read, its value not yet */
	size_t depth;
	uint32_t documents;
	uint32_t line, column; /* of the event at hand */
};

__attribute__((format(printf, 3, 4))) static int refuse(struct builder *b, enum err code,
							const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	error_set(b->err, code, "%s", text);
	error_where(b->err, "%s:%u:%u", b->file, b->line, b->column);
	return code;
}

static struct yaml_node *node_new(struct builder *b, enum yaml_kind kind)
{
	struct yaml *tree = b->tree;
	if (tree->count == tree->capacity)
		return NULL;
	struct yaml_node *node = &tree->nodes[tree->count++];
	*node = (struct yaml_node){.kind = kind, .line = b->line, .column = b->column};
	return node;
}

static void append(struct yaml_node *parent, struct yaml_node *node)
{
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
}

/* `node` begins a key: it must be a word, said once. */
static int take_key(struct builder *b, struct yaml_node *map, struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR)
		return refuse(b, ERR_INVALID, "A key must be one word, not a list or a mapping.");
	if (node->empty)
		return refuse(b, ERR_INVALID, "A key is missing before the \":\".");
	if (strcmp(node->text, "<<") == 0)
		return refuse(b, ERR_INVALID,
			      "Merge keys (\"<<\") are not allowed; write the values out.");
	if (yaml_get(map, node->text))
		return refuse(b, ERR_INVALID, "The key \"%s\" is there twice; keep one of them.",
			      node->text);
	b->pending_key[b->depth - 1] = node;
	return 0;
}

/* Put a finished or just opened node where it belongs. */
static int place(struct builder *b, struct yaml_node *node)
{
	if (!node)
		return refuse(b, ERR_LIMIT, "The file has more than 20,000 values.");
	if (b->depth == 0) {
		b->tree->root = node;
		return 0;
	}
	struct yaml_node *parent = b->open[b->depth - 1];
	struct yaml_node *key = b->pending_key[b->depth - 1];
	if (parent->kind == YAML_MAP && !key)
		return take_key(b, parent, node);
	node->key = key;
	b->pending_key[b->depth - 1] = NULL;
	append(parent, node);
	return 0;
}

static int open_collection(struct builder *b, enum yaml_kind kind)
{
	struct yaml_node *node = node_new(b, kind);
	int status = place(b, node);
	if (status < 0)
		return status;
	if (b->depth == YAML_DEPTH_MAX)
		return refuse(b, ERR_LIMIT, "The file is nested more than 16 levels deep here.");
	b->open[b->depth] = node;
	b->pending_key[b->depth] = NULL;
	b->depth++;
	return 0;
}

/* The bytes of the character at p (RFC 3629), 0 when it is none. */
static size_t character_size(const unsigned char *p, size_t left)
{
	size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (size == 0 || size > left || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return size;
}

/* Control characters, and those that turn the text around them: a file must read as it looks. */
static bool is_hidden(const unsigned char *p, size_t size)
{
	if (size == 1)
		return (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' && p[0] != '\r') ||
		       p[0] == 0x7f;
	if (size == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	return size == 3 && p[0] == 0xe2 &&
	       ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
		(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

/* Escapes can make what the file itself must not hold. */
static bool is_clean_text(const char *text, size_t size)
{
	for (size_t i = 0, step; i < size; i += step) {
		const unsigned char *p = (const unsigned char *)text + i;
		step = character_size(p, size - i);
		if (step == 0 || is_hidden(p, step))
			return false;
	}
	return true;
}

static int add_scalar(struct builder *b, struct fy_token *token)
{
	size_t size = 0;
	const char *text = token ? fy_token_get_text(token, &size) : NULL;
	struct yaml_node *node = node_new(b, YAML_SCALAR);
	if (node) {
		node->empty =
			text == NULL || (size == 0 && fy_token_scalar_style(token) == FYSS_PLAIN);
		node->text = mem_new(size + 1);
		if (size > 0)
			memcpy(node->text, text, size);
		node->text[size] = '\0';
		if (!is_clean_text(node->text, size))
			return refuse(b, ERR_INVALID,
				      "A text must not hold hidden or control characters, nor "
				      "broken UTF-8.");
	}
	return place(b, node);
}

static int start_document(struct builder *b, const struct fy_event *event)
{
	if (++b->documents > 1)
		return refuse(b, ERR_INVALID,
			      "A second document begins here (\"---\"); the file must hold one.");
	if (fy_document_state_version_explicit(event->document_start.document_state) ||
	    fy_document_state_tags_explicit(event->document_start.document_state))
		return refuse(b, ERR_INVALID,
			      "YAML directives (\"%%\") are not allowed; remove the line.");
	return 0;
}

static int refuse_decoration(struct builder *b, struct fy_token *anchor, struct fy_token *tag)
{
	if (anchor)
		return refuse(
			b, ERR_INVALID,
			"Anchors (\"&\") are not allowed; write the value out where it is used.");
	if (tag)
		return refuse(b, ERR_INVALID, "Tags (\"!\") are not allowed; remove it.");
	return 0;
}

static int take_event(struct builder *b, struct fy_event *event)
{
	int status;
	switch (event->type) {
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END: return 0;
	case FYET_DOCUMENT_START: return start_document(b, event);
	case FYET_ALIAS:
		return refuse(b, ERR_INVALID,
			      "Aliases (\"*\") are not allowed; write the value out here.");
	case FYET_SCALAR:
		status = refuse_decoration(b, event->scalar.anchor, event->scalar.tag);
		return status < 0 ? status : add_scalar(b, event->scalar.value);
	case FYET_SEQUENCE_START:
		status = refuse_decoration(b, event->sequence_start.anchor,
					   event->sequence_start.tag);
		return status < 0 ? status : open_collection(b, YAML_LIST);
	case FYET_MAPPING_START:
		status =
			refuse_decoration(b, event->mapping_start.anchor, event->mapping_start.tag);
		return status < 0 ? status : open_collection(b, YAML_MAP);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END: b->depth--; return 0;
	}
	return 0;
}

/* What libfyaml said is wrong, in one sentence of ours around its words. */
static int syntax_error(struct builder *b, struct fy_diag *diag)
{
	void *at = NULL;
	const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &at);
	if (first && first->line > 0) {
		b->line = (uint32_t)first->line;
		b->column = (uint32_t)(first->column > 0 ? first->column : 1);
	}
	return refuse(b, ERR_INVALID, "This is not valid YAML: %s.",
		      first && first->msg ? first->msg : "the text cannot be read");
}

static bool is_quoted(struct fy_token *token)
{
	enum fy_scalar_style style = fy_token_scalar_style(token);
	return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static int read_events(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
	struct fy_event *event;
	int status = 0;
	while (status == 0 && (event = fy_parser_parse(parser)) != NULL) {
		struct fy_token *token = fy_event_get_token(event);
		const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
		if (mark) {
			b->line = (uint32_t)mark->line + 1;
			b->column = (uint32_t)mark->column + 1;
			/* A quoted scalar's mark is behind its quote. */
			if (event->type == FYET_SCALAR && b->column > 1 && is_quoted(token))
				b->column--;
		}
		status = take_event(b, event);
		fy_parser_event_free(parser, event);
	}
	if (status == 0 && (fy_parser_get_stream_error(parser) || fy_diag_got_error(diag)))
		status = syntax_error(b, diag);
	return status;
}

/* libfyaml reads past broken UTF-8 and keeps control characters: refuse both before it sees them. */
static int check_bytes(struct builder *b, const char *text, size_t size)
{
	char shown[32];
	b->line = b->column = 1;
	if (size > YAML_BYTES_MAX)
		return refuse(b, ERR_LIMIT, "The file is larger than 256 KiB.");
	for (size_t i = 0, step; i < size; i += step, b->column++) {
		const unsigned char *p = (const unsigned char *)text + i;
		step = character_size(p, size - i);
		if (step == 0)
			return refuse(b, ERR_INVALID,
				      "The byte 0x%02x is not UTF-8; save the file as UTF-8.", *p);
		if (is_hidden(p, step))
			return refuse(
				b, ERR_INVALID,
				"A hidden or control character (%s) is not allowed in the file; "
				"remove it.",
				text_escape((const char *)p, step, shown, sizeof shown));
		if (*p == '\n') {
			b->line++;
			b->column = 0;
		}
	}
	b->line = b->column = 1;
	return 0;
}

static int build(struct builder *b, const char *text, size_t size)
{
	struct fy_diag_cfg diag_config;
	fy_diag_cfg_default(&diag_config);
	diag_config.colorize = false;
	struct fy_diag *diag = fy_diag_create(&diag_config);
	ASSERT(diag);
	fy_diag_set_collect_errors(diag, true);
	struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_JSON_NONE, .diag = diag};
	struct fy_parser *parser = fy_parser_create(&config);
	ASSERT(parser);
	int status = fy_parser_set_string(parser, text, size);
	ASSERT(status == 0);
	status = read_events(b, parser, diag);
	fy_parser_destroy(parser);
	fy_diag_destroy(diag);
	if (status == 0 && !b->tree->root)
		status = add_scalar(b, NULL);
	return status;
}

int yaml_parse(const char *text, size_t size, const char *file, struct yaml **ret_tree,
	       struct error *err)
{
	struct builder b = {.file = file, .err = err};
	int status = check_bytes(&b, text, size);
	if (status < 0)
		return status;
	b.tree = mem_zero(1, sizeof *b.tree);
	b.tree->capacity = size + 2 < YAML_NODES_MAX ? (uint32_t)size + 2 : YAML_NODES_MAX;
	b.tree->nodes = mem_zero(b.tree->capacity, sizeof *b.tree->nodes);
	status = build(&b, text, size);
	if (status < 0) {
		yaml_free(b.tree);
		return status;
	}
	*ret_tree = b.tree;
	return 0;
}

void yaml_free(struct yaml *tree)
{
	if (!tree)
		return;
	for (uint32_t i = 0; i < tree->count; i++)
		free(tree->nodes[i].text);
	free(tree->nodes);
	free(tree);
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (struct yaml_node *node = map->first; node; node = node->next)
		if (strcmp(node->key->text, key) == 0)
			return node;
	return NULL;
}
