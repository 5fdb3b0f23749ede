/* --help, printed from the tables and made to fit one screen of 80 columns and 24 lines. */
#include "cli/cmd.h"

#include <ctype.h>
#include <string.h>

#define SCREEN_COLUMNS 79
#define OPTION_COLUMN 29	 /* where an option's explanation begins */
#define EXPLAINED_OPTIONS_MAX 19 /* more are listed by name only */
#define EXPLAINED_COMMANDS_MAX 26
#define COMMAND_COLUMN 42 /* where the second column of commands begins */

static struct err *add_sentence(const char *summary, struct buf *text)
{
	return buf_format(text, "%c%s.\n", toupper((unsigned char)summary[0]), summary + 1);
}

/* "-b, --bundle=DIR" */
static struct err *option_label(const struct opt *opt, char **ret_label)
{
	char letter[5] = "";

	if (opt->letter) {
		letter[0] = '-';
		letter[1] = opt->letter;
		letter[2] = ',';
		letter[3] = ' ';
	}
	return str_format(ret_label, "%s--%s%s%s", letter, opt->name, opt->metavar ? "=" : "",
			  opt->metavar ? opt->metavar : "");
}

static size_t shown_options(const struct opt_table *table)
{
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++)
		count += table->rows[i].help != NULL;
	return count;
}

/* Put word at the end of the line, or on a new one. */
static struct err *pack_word(struct buf *text, size_t *line_start, const char *word)
{
	size_t used = text->len - *line_start;

	if (used && used + 2 + strlen(word) > SCREEN_COLUMNS) {
		TRY(buf_add(text, "\n", 1));
		*line_start = text->len;
	}
	return buf_format(text, "  %s", word);
}

static struct err *pack_options(const struct opt_table *table, struct buf *text)
{
	size_t line_start = text->len;

	for (size_t i = 0; i < table->count; i++) {
		OWN(str) char *label = NULL;

		if (!table->rows[i].help)
			continue;
		TRY(option_label(&table->rows[i], &label));
		TRY(pack_word(text, &line_start, label));
	}
	return buf_add(text, "\n", 1);
}

static struct err *add_options(const struct opt_table *table, struct buf *text)
{
	TRY(buf_format(text, "Options:\n"));
	if (shown_options(table) > EXPLAINED_OPTIONS_MAX)
		return pack_options(table, text);
	for (size_t i = 0; i < table->count; i++) {
		OWN(str) char *label = NULL;

		if (!table->rows[i].help)
			continue;
		TRY(option_label(&table->rows[i], &label));
		TRY(buf_format(text, "  %-*s %s\n", OPTION_COLUMN - 3, label, table->rows[i].help));
	}
	return buf_format(text, "  %-*s %s\n", OPTION_COLUMN - 3, "-h, --help", "show this help");
}

struct err *help_cmd(const struct program *program, const struct cmd *cmd, struct buf *text)
{
	TRY(buf_format(text, "Usage: %s %s [OPTION]...%s%s\n", program->name, cmd->name,
		       cmd->args ? " " : "", cmd->args ? cmd->args : ""));
	if (cmd->summary)
		TRY(add_sentence(cmd->summary, text));
	return add_options(&cmd->opts, text);
}

/* The index of the next command that is shown, from start. */
static size_t next_shown(const struct program *program, size_t start)
{
	while (start < program->cmd_count && !program->cmds[start]->summary)
		start++;
	return start;
}

static struct err *pack_commands(const struct program *program, struct buf *text)
{
	size_t line_start = text->len;

	for (size_t i = next_shown(program, 0); i < program->cmd_count;
	     i = next_shown(program, i + 1))
		TRY(pack_word(text, &line_start, program->cmds[i]->name));
	return buf_add(text, "\n", 1);
}

static size_t name_width(const struct program *program)
{
	size_t width = 0;

	for (size_t i = next_shown(program, 0); i < program->cmd_count;
	     i = next_shown(program, i + 1))
		if (strlen(program->cmds[i]->name) > width)
			width = strlen(program->cmds[i]->name);
	return width;
}

/* Two commands a line, read from left to right. */
static struct err *add_commands(const struct program *program, struct buf *text)
{
	int width = (int)name_width(program);
	size_t shown = 0, line_start = 0;

	for (size_t i = next_shown(program, 0); i < program->cmd_count;
	     i = next_shown(program, i + 1), shown++) {
		const struct cmd *cmd = program->cmds[i];

		if (shown % 2) {
			int used = (int)(text->len - line_start);
			int pad = used + 2 < COMMAND_COLUMN ? COMMAND_COLUMN - used : 2;

			TRY(buf_format(text, "%*s%-*s %s\n", pad, "", width, cmd->name,
				       cmd->summary));
			continue;
		}
		line_start = text->len;
		TRY(buf_format(text, "  %-*s %s", width, cmd->name, cmd->summary));
	}
	return shown % 2 ? buf_add(text, "\n", 1) : NULL;
}

struct err *help_program(const struct program *program, struct buf *text)
{
	size_t shown = 0;

	for (size_t i = 0; i < program->cmd_count; i++)
		shown += program->cmds[i]->summary != NULL;
	TRY(buf_format(text, "Usage: %s [OPTION]... COMMAND [ARGUMENT]...\n", program->name));
	TRY(buf_format(text, "%s\n", program->summary));
	TRY(buf_format(text, "Commands:\n"));
	if (shown > EXPLAINED_COMMANDS_MAX)
		TRY(pack_commands(program, text));
	else
		TRY(add_commands(program, text));
	TRY(add_options(&program->opts, text));
	return buf_format(text, "'%s COMMAND --help' tells more.\n", program->name);
}
