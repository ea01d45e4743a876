/** The answer to SIGUSR2: where the run stands, on one line. */
import { formatTable } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import type { RunState } from '../../coordinator/run-state.ts';
import { renderLine } from './line-log.ts';
import { formatShare, tablesText } from '../quantities.ts';
import { nodesText, shareDone } from './progress.ts';

/** `crategen 20261124-1530-x7k2 pid=8118 running 14% crategen.records at http://db-1:4200: t=42s rows=…`. */
export function renderStatusLine(state: RunState): string {
  const share = shareDone(state);
  const done = share === null ? '' : ` ${formatShare(share).replace(' ', '')}`;
  const { table, also } = state.plan;
  const tables = tablesText(formatTable(table.name), also.length);
  const where = `${printable(tables)} at ${printable(nodesText(state.plan, state.target))}`;
  const who = `crategen ${printable(state.plan.runId)} pid=${state.coordinator.pid}`;
  return `${who} ${state.phase}${done} ${where}: ${renderLine(state)}`;
}
