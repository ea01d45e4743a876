/** Completion scripts, made from what the commands say about themselves. */
import { INSERT_PATHS } from '../rows/insert-form.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** A command as oclif's manifest has it, as far as completion needs it. */
export interface CompletableCommand {
  readonly id: string;
  readonly hidden?: boolean;
  readonly summary?: string | undefined;
  readonly flags: Readonly<
    Record<
      string,
      {
        readonly hidden?: boolean;
        readonly summary?: string | undefined;
        readonly type: string;
        readonly allowNo?: boolean;
      }
    >
  >;
}

/** What can stand behind a flag, where that is a short list. */
const FLAG_VALUES: Readonly<Record<string, readonly string[]>> = {
  preset: ['records', 'metrics', 'everything'],
  compress: ['none', 'deflate', 'gzip'],
  generator: ['fast', 'reference'],
  live: ['auto', 'screen', 'lines', 'off'],
  'log-format': ['text', 'json'],
  verify: ['count', 'rows', 'none'],
  'insert-path': INSERT_PATHS,
  format: ['text', 'json'],
};

interface Word {
  readonly text: string;
  readonly summary: string;
}

interface CommandWords {
  /** `schema ddl`. */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Word[];
}

/** The script; what it completes is fixed at the time it is made. */
export function completionScript(shell: Shell, commands: readonly CompletableCommand[]): string {
  const words = commands
    .filter((command) => command.hidden !== true)
    .map(wordsOf)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  switch (shell) {
    case 'bash':
      return bashScript(words);
    case 'zsh':
      return zshScript(words);
    case 'fish':
      return fishScript(words);
  }
}

function wordsOf(command: CompletableCommand): CommandWords {
  const shown = Object.entries(command.flags).filter(([, flag]) => flag.hidden !== true);
  const flags = shown.flatMap(([name, flag]) => {
    const summary = shortened(flag.summary);
    const plain = { text: `--${name}`, summary };
    return flag.allowNo === true ? [plain, { text: `--no-${name}`, summary: `Not: ${summary}` }] : [plain];
  });
  return {
    name: command.id.replaceAll(':', ' '),
    summary: shortened(command.summary),
    flags: [...flags, { text: '--help', summary: 'Show help' }],
  };
}

/** The first clause, without what the shells' own quoting would trip over. */
function shortened(summary: string | undefined): string {
  const clause = (summary ?? '').split(/[;:] | [([]/, 1)[0] ?? '';
  return clause
    .replaceAll("'", '’')
    .replace(/[`"\\$[\]:]/g, '')
    .trim();
}

/** The words that may come next, by the words before: the first level, and the second under a topic. */
function nextWords(commands: readonly CommandWords[]): Map<string, Word[]> {
  const next = new Map<string, Word[]>([['', []]]);
  for (const { name, summary } of commands) {
    const [first = '', second] = name.split(' ');
    const firsts = next.get('') ?? [];
    if (!firsts.some((word) => word.text === first))
      firsts.push({ text: first, summary: second === undefined ? summary : 'Commands about it' });
    if (second !== undefined) next.set(first, [...(next.get(first) ?? []), { text: second, summary }]);
  }
  return next;
}

function bashScript(commands: readonly CommandWords[]): string {
  const cases = [
    ...[...nextWords(commands)].map(([before, words]) => `    '${before}') words='${texts(words)}' ;;`),
    ...commands.map(({ name, flags }) => `    '${name}'*) words='${texts(flags)}' ;;`),
  ];
  const values = Object.entries(FLAG_VALUES).map(
    ([flag, words]) => `    --${flag}) words='${words.join(' ')}' ;;`,
  );
  return `# bash completion of crategen
_crategen() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" command='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) break ;;
      *) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command" in
${cases.join('\n')}
  esac
  case "$previous" in
${values.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _crategen crategen
`;
}

function texts(words: readonly Word[]): string {
  return words.map((word) => word.text).join(' ');
}

function zshScript(commands: readonly CommandWords[]): string {
  const described = (words: readonly Word[]): string =>
    words.map((word) => `'${word.text}:${word.summary}'`).join(' ');
  const cases = [
    ...[...nextWords(commands)].map(([before, words]) => `    '${before}') choices=(${described(words)}) ;;`),
    ...commands.map(({ name, flags }) => `    '${name}'*) choices=(${described(flags)}) ;;`),
  ];
  const values = Object.entries(FLAG_VALUES).map(
    ([flag, words]) => `    --${flag}) choices=(${words.join(' ')}) ;;`,
  );
  return `#compdef crategen
_crategen() {
  local command='' word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == -* ]] && break
    command="\${command:+$command }$word"
  done
  case "$command" in
${cases.join('\n')}
  esac
  case "\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  _describe 'crategen' choices || _files
}
if [ "$funcstack[1]" = "_crategen" ]; then _crategen "$@"; else compdef _crategen crategen; fi
`;
}

function fishScript(commands: readonly CommandWords[]): string {
  const lines = ['# fish completion of crategen'];
  for (const [before, words] of nextWords(commands)) {
    const condition = before === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${before}`;
    for (const { text, summary } of words)
      lines.push(`complete -c crategen -f -n '${condition}' -a '${text}' -d '${summary}'`);
  }
  for (const { name, flags } of commands) {
    const condition = name
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    for (const { text, summary } of flags) {
      const flag = text.slice(2);
      const values = FLAG_VALUES[flag];
      const choices = values === undefined ? '' : ` -x -a '${values.join(' ')}'`;
      lines.push(`complete -c crategen -n '${condition}' -l '${flag}'${choices} -d '${summary}'`);
    }
  }
  return `${lines.join('\n')}\n`;
}
