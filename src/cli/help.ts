/** Help that leads with examples and ends with exit codes, in the order people look for things. */
import { CommandHelp, Help as OclifHelp } from '@oclif/core/help';
import { EXIT_MEANINGS } from './exit-codes.ts';

/** Commands whose outcome is that of a run, or of several. */
const RUN_CODES: ReadonlySet<string> = new Set(['cluster', 'single', 'recover', 'ceiling', 'ab']);

/** What the others end with; that of `verify` is its answer. */
const OTHER_MEANINGS: typeof EXIT_MEANINGS = [
  ['0', 'done'],
  ['1', 'unexpected error, or a file could not be written'],
  ...EXIT_MEANINGS.filter(([code]) => code === '2' || code === '3'),
];
const VERIFY_MEANINGS: typeof EXIT_MEANINGS = [
  ['0', 'no row is lost, duplicated or altered'],
  ...OTHER_MEANINGS.slice(1),
  ['6', 'rows are lost, duplicated or altered'],
];

const ROOT_EXAMPLES: readonly (readonly [string, string])[] = [
  ['see it work, no server needed', 'crategen cluster --sandbox --rows 200k'],
  [
    'fill a cluster with 10 million rows from 8 processes',
    'crategen cluster --url http://db-1:4200 --procs 8 --rows 10m',
  ],
  ['look before anything is sent', 'crategen single --preset metrics --dry-run'],
];

class ExamplesFirst extends CommandHelp {
  protected override sections(): ReturnType<CommandHelp['sections']> {
    const rank = ['EXAMPLES', 'USAGE', 'ARGUMENTS', 'FLAGS', 'DESCRIPTION'];
    const known = super.sections().filter(({ header }) => rank.includes(header));
    const sorted = known.toSorted((a, b) => rank.indexOf(a.header) - rank.indexOf(b.header));
    return [...sorted, { header: 'EXIT CODES', generate: () => this.exitCodes() }];
  }

  /** Under the names that stand in the usage: oclif's own are those of the code, and none is required there. */
  protected override args(args: Parameters<CommandHelp['args']>[0]): ReturnType<CommandHelp['args']> {
    const [usage = ''] = [this.command.usage ?? []].flat();
    const names = usage.slice(this.command.id.length).match(/\S+/g) ?? [];
    return super.args(args)?.map(([name, description], index) => [names[index] ?? name, description]);
  }

  /** The summary stands above already; without a description there is nothing to repeat. */
  protected override description(): string | undefined {
    return this.command.description === undefined ? undefined : this.wrap(this.command.description);
  }

  private exitCodes(): string {
    const { id } = this.command;
    const shown = RUN_CODES.has(id) ? EXIT_MEANINGS : id === 'verify' ? VERIFY_MEANINGS : OTHER_MEANINGS;
    return this.renderList(
      shown.map(([code, meaning]) => [code, meaning]),
      { indentation: 2, stripAnsi: this.opts.stripAnsi },
    );
  }
}

export default class Help extends OclifHelp {
  protected override CommandHelpClass = ExamplesFirst;

  override formatRoot(): string {
    const examples = ROOT_EXAMPLES.map(([what, command]) => `# ${what}\n$ ${command}`).join('\n');
    return [
      this.config.pjson.description ?? '',
      this.section('EXAMPLES', examples),
      this.section('USAGE', '$ crategen COMMAND [flags]\n$ crategen COMMAND --help'),
    ].join('\n\n');
  }
}
