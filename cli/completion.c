/* Completion scripts for shells, printed from the option tables. No shell runs here. */
#include "cli/cmd.h"

#include <string.h>

/* What a script calls the things that it completes. */
static bool names_file(const char *metavar)
{
	return str_eq(metavar, "FILE") || str_eq(metavar, "SOCKET");
}

static bool takes_container(const struct cmd *cmd)
{
	return cmd->args &&
	       (str_has_prefix(cmd->args, "CONTAINER") || str_has_prefix(cmd->args, "NAME") ||
		str_has_prefix(cmd->args, "[NAME"));
}

/* The words with which the alternatives of "create NAME | list" begin; none where there are none.
 */
static struct err *add_verbs(const struct cmd *cmd, struct buf *text)
{
	const char *at = cmd->args && strstr(cmd->args, " | ") ? cmd->args : NULL;

	while (at) {
		const char *next = strstr(at, " | ");

		TRY(buf_format(text, "%.*s ", (int)strcspn(at, " "), at));
		at = next ? next + strlen(" | ") : NULL;
	}
	return NULL;
}

/* The program's name as part of a shell function's. */
static struct err *function_name(const struct program *program, char **ret_name)
{
	TRY(str_dup(program->name, ret_name));
	for (char *c = *ret_name; *c; c++)
		if (*c == '-')
			*c = '_';
	return NULL;
}

/* Text inside single quotes, where zsh also gives a meaning to [ ] and : */
static struct err *add_quoted(const char *words, struct buf *text)
{
	for (; *words; words++) {
		if (*words == '\'')
			TRY(buf_format(text, "'\\''"));
		else if (strchr("[]:\\", *words))
			TRY(buf_format(text, "\\%c", *words));
		else
			TRY(buf_add(text, words, 1));
	}
	return NULL;
}

/* Words to choose from: the table's, or those of a metavar like "yes|no". */
static bool has_choices(const struct opt *opt)
{
	return opt->choices || strchr(opt->metavar, '|');
}

static struct err *add_choices(const struct opt *opt, struct buf *text)
{
	if (!opt->choices) {
		for (const char *c = opt->metavar; *c; c++)
			TRY(buf_format(text, "%c", *c == '|' ? ' ' : *c));
		return NULL;
	}
	for (size_t i = 0; opt->choices[i]; i++)
		TRY(buf_format(text, "%s%s", i ? " " : "", opt->choices[i]));
	return NULL;
}

/* --- bash ----------------------------------------------------------------------------------- */

static struct err *bash_spellings(const struct opt_table *table, struct buf *text)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].help)
			TRY(buf_format(text, "--%s%s ", table->rows[i].name,
				       table->rows[i].metavar ? "=" : ""));
	return buf_format(text, "--help");
}

/* One line of a case that completes the value of the option before the cursor. */
static struct err *bash_value(const char *cmd, const struct opt *opt, struct buf *text)
{
	if (!opt->help || !opt->metavar)
		return NULL;
	TRY(buf_format(text, "\t%s:--%s", cmd, opt->name));
	if (opt->letter)
		TRY(buf_format(text, "|%s:-%c", cmd, opt->letter));
	if (has_choices(opt)) {
		TRY(buf_format(text, ") COMPREPLY=($(compgen -W '"));
		TRY(add_choices(opt, text));
		return buf_format(text, "' -- \"$cur\")); return ;;\n");
	}
	if (str_eq(opt->metavar, "DIR"))
		return buf_format(text, ") COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n");
	if (names_file(opt->metavar))
		return buf_format(text, ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n");
	return buf_format(text, ") return ;;\n");
}

static struct err *bash_values(const char *cmd, const struct opt_table *table, struct buf *text)
{
	for (size_t i = 0; i < table->count; i++)
		TRY(bash_value(cmd, &table->rows[i], text));
	return NULL;
}

/* Global options that take a value, so that the script can tell a value from the command. */
static struct err *bash_global_values(const struct program *program, struct buf *text)
{
	for (size_t i = 0; i < program->opts.count; i++)
		if (program->opts.rows[i].metavar)
			TRY(buf_format(text, "--%s|", program->opts.rows[i].name));
	return buf_format(text, "--");
}

static struct err *bash_commands(const struct program *program, struct buf *text)
{
	for (size_t i = 0; i < program->cmd_count; i++) {
		const struct cmd *cmd = program->cmds[i];

		if (!cmd->summary)
			continue;
		TRY(buf_format(text, "\t%s) words='", cmd->name));
		TRY(add_verbs(cmd, text));
		TRY(bash_spellings(&cmd->opts, text));
		TRY(buf_format(text, "' container=%s ;;\n", takes_container(cmd) ? "yes" : ""));
	}
	return NULL;
}

static struct err *bash_top_words(const struct program *program, struct buf *text)
{
	for (size_t i = 0; i < program->cmd_count; i++)
		if (program->cmds[i]->summary)
			TRY(buf_format(text, "%s ", program->cmds[i]->name));
	return bash_spellings(&program->opts, text);
}

static struct err *bash_script(const struct program *program, struct buf *text)
{
	OWN(str) char *function = NULL;

	TRY(function_name(program, &function));
	TRY(buf_format(text,
		       "# bash completion for %s; generated, do not edit\n"
		       "_%s() {\n"
		       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		       "\tlocal cmd=- words container= i\n"
		       "\tif [ \"$cur\" = = ]; then cur=\n"
		       "\telif [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
		       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		       "\t\tcase ${COMP_WORDS[i]} in\n\t\t",
		       program->name, function));
	TRY(bash_global_values(program, text));
	TRY(buf_format(text, ") [ \"${COMP_WORDS[i+1]}\" = = ] && ((i++)); ((i++)) ;;\n"
			     "\t\t-*|=) ;;\n"
			     "\t\t*) cmd=${COMP_WORDS[i]}; break ;;\n"
			     "\t\tesac\n"
			     "\tdone\n"
			     "\tcase $cmd:$prev in\n"));
	TRY(bash_values("-", &program->opts, text));
	for (size_t i = 0; i < program->cmd_count; i++)
		if (program->cmds[i]->summary)
			TRY(bash_values(program->cmds[i]->name, &program->cmds[i]->opts, text));
	TRY(buf_format(text, "\tesac\n\tcase $cmd in\n\t-) words='"));
	TRY(bash_top_words(program, text));
	TRY(buf_format(text, "' ;;\n"));
	TRY(bash_commands(program, text));
	return buf_format(text,
			  "\t*) return ;;\n"
			  "\tesac\n"
			  "\tcase $cur in -*) container= ;; esac\n"
			  "\t[ -z \"$container\" ] || words=$(%s 2>/dev/null)\n"
			  "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			  "\tcase ${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null ;; esac\n"
			  "}\n"
			  "complete -o default -F _%s %s\n",
			  program->list_names ? program->list_names : ":", function, program->name);
}

/* --- zsh ------------------------------------------------------------------------------------- */

static struct err *zsh_option(const struct opt *opt, struct buf *text)
{
	if (opt->letter)
		TRY(buf_format(text, " '(-%c --%s)'{-%c,--%s%s}'[", opt->letter, opt->name,
			       opt->letter, opt->name, opt->metavar ? "=" : ""));
	else
		TRY(buf_format(text, " '--%s%s[", opt->name, opt->metavar ? "=" : ""));
	TRY(add_quoted(opt->help, text));
	TRY(buf_add(text, "]", 1));
	if (!opt->metavar)
		return buf_add(text, "'", 1);
	TRY(buf_format(text, ":"));
	TRY(add_quoted(opt->metavar, text));
	if (has_choices(opt)) {
		TRY(buf_format(text, ":("));
		TRY(add_choices(opt, text));
		return buf_format(text, ")'");
	}
	if (str_eq(opt->metavar, "DIR"))
		return buf_format(text, ":_directories'");
	return buf_format(text, names_file(opt->metavar) ? ":_files'" : ": '");
}

static struct err *zsh_options(const struct opt_table *table, struct buf *text)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].help)
			TRY(zsh_option(&table->rows[i], text));
	return buf_format(text, " '(-h --help)'{-h,--help}'[show help]'");
}

static struct err *zsh_commands(const struct program *program, const char *function,
				struct buf *text)
{
	for (size_t i = 0; i < program->cmd_count; i++) {
		const struct cmd *cmd = program->cmds[i];

		if (!cmd->summary)
			continue;
		TRY(buf_format(text, "\t\t%s) _arguments", cmd->name));
		TRY(zsh_options(&cmd->opts, text));
		if (takes_container(cmd))
			TRY(buf_format(text, " '1:container:_%s_names'", function));
		if (cmd->args && strstr(cmd->args, " | ")) {
			TRY(buf_format(text, " '1:what:("));
			TRY(add_verbs(cmd, text));
			TRY(buf_format(text, ")'"));
		}
		TRY(buf_format(text, " '*:argument:_files' ;;\n"));
	}
	return NULL;
}

static struct err *zsh_script(const struct program *program, struct buf *text)
{
	OWN(str) char *function = NULL;

	TRY(function_name(program, &function));
	TRY(buf_format(
		text,
		"#compdef %s\n"
		"# generated, do not edit\n"
		"_%s_names() { local -a names; names=($(%s 2>/dev/null)); compadd -a names }\n"
		"_%s() {\n"
		"\tlocal curcontext=$curcontext state line\n"
		"\ttypeset -A opt_args\n"
		"\t_arguments -C",
		program->name, function, program->list_names ? program->list_names : ":",
		function));
	TRY(zsh_options(&program->opts, text));
	TRY(buf_format(text,
		       " '1:command:->command' '*::argument:->argument'\n"
		       "\tcase $state in\n\tcommand)\n\t\tlocal -a commands\n\t\tcommands=("));
	for (size_t i = 0; i < program->cmd_count; i++) {
		if (!program->cmds[i]->summary)
			continue;
		TRY(buf_format(text, "'%s:", program->cmds[i]->name));
		TRY(add_quoted(program->cmds[i]->summary, text));
		TRY(buf_format(text, "' "));
	}
	TRY(buf_format(text, ")\n\t\t_describe command commands ;;\n"
			     "\targument)\n\t\tcase $words[1] in\n"));
	TRY(zsh_commands(program, function, text));
	return buf_format(text, "\t\tesac ;;\n\tesac\n}\n_%s \"$@\"\n", function);
}

/* --- for tests/lint/man ---------------------------------------------------------------------- */

static struct err *list_options(const char *cmd, const struct opt_table *table, struct buf *text)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct opt *opt = &table->rows[i];
		char letter[3] = { '-', opt->letter, '\0' };

		TRY(buf_format(text, "%s\t--%s\t%s\t%s\n", cmd, opt->name, letter,
			       opt->metavar ? opt->metavar : "-"));
	}
	return NULL;
}

static struct err *list_script(const struct program *program, struct buf *text)
{
	TRY(list_options("-", &program->opts, text));
	for (size_t i = 0; i < program->cmd_count; i++) {
		if (!program->cmds[i]->summary)
			continue;
		TRY(buf_format(text, "%s\t-\t%d\t%s\n", program->cmds[i]->name,
			       program->cmds[i]->failure_status,
			       program->cmds[i]->args ? program->cmds[i]->args : "-"));
		TRY(list_options(program->cmds[i]->name, &program->cmds[i]->opts, text));
	}
	return NULL;
}

struct err *completion_script(const struct program *program, const char *shell, struct buf *text)
{
	if (str_eq(shell, "bash"))
		return bash_script(program, text);
	if (str_eq(shell, "zsh"))
		return zsh_script(program, text);
	if (str_eq(shell, "list"))
		return list_script(program, text);
	return err_new(ERR_INVALID, "completion: '%.64s' is none of bash, zsh, list", shell);
}
