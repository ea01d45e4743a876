/** Help that leads with examples and ends with exit codes, in the order people look for things. */
import { CommandHelp, Help as OclifHelp } from '@oclif/core/help';
import { EXIT_MEANINGS } from './exit-codes.ts';

/** Commands whose outcome is a run's, or is judged like one. */
const ALL_CODES: ReadonlySet<string> = new Set(['cluster', 'single', 'recover']);
const CODES_OF_THE_REST = ['0', '1', '2', '3', '6'];

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

  /** The summary stands above already; without a description there is nothing to repeat. */
  protected override description(): string | undefined {
    return this.command.description === undefined ? undefined : this.wrap(this.command.description);
  }

  private exitCodes(): string {
    const id = this.command.id.replaceAll(' ', ':');
    const shown = ALL_CODES.has(id)
      ? EXIT_MEANINGS
      : EXIT_MEANINGS.filter(([code]) => CODES_OF_THE_REST.includes(code));
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
