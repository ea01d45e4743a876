/** A comparison as one HTML page: the judgement, each metric as an interval on one scale, and the numbers behind it. */
import { documentOf } from '../html/document.ts';
import { longCell, table } from '../html/figure.ts';
import { section } from '../html/sections.ts';
import { type Markup, html } from '../html/markup.ts';
import type { Comparison } from './comparison.ts';
import { METRICS } from './figures.ts';
import { type Difference, differenceText, isBetter } from './judge.ts';
import { idsOf, judgementText, spreadsOf, valuesOf } from './render-comparison.ts';

/** Units of the drawing. */
const WIDTH = 720;
const ROW_HEIGHT = 44;
/**
 * How far the scale may reach to both sides; halves of them are round too. At least a tenth, so that a hundredth does not
 * look like a gulf; what reaches farther than the last is cut: a half is as far from 1 as nothing is.
 */
const REACHES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];

export function renderHtmlComparison(comparison: Comparison): string {
  const { sides, fields, warnings, against } = comparison;
  const judgements = against.map(({ label, differences }) => judgementText(label, differences));
  const title = judgements.length === 0 ? 'repeats of one plan' : judgements.join('; ');
  const body = html`<header>
      <p class="kicker">
        crategen compare ·
        ${sides.map(({ label, runs }) => `${label}: ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`).join(' · ')}
      </p>
      <h1>${title.slice(0, 1).toUpperCase() + title.slice(1)}</h1>
      ${
        warnings.length > 0 &&
        html`<aside class="warnings" aria-label="Warnings">
          <ul>
            ${warnings.map((warning) => html`<li>${warning}</li>`)}
          </ul>
        </aside>`
      }
    </header>
    <main>
      ${against.map(({ label, differences }) => againstSection(label, differences))}
      ${
        against.length === 0 &&
        section(
          'spread',
          'What the repeats show',
          sides.map((side) =>
            table(
              `Side ${side.label}`,
              ['metric', 'lowest', 'median', 'highest'],
              spreadsOf(side).map(({ metric, low, typical, high }) => [
                METRICS[metric].title,
                low,
                typical,
                high,
              ]),
            ),
          ),
        )
      }
      ${section(
        'sides',
        'What was compared',
        html`${table(
          'Sides',
          ['side', 'runs', 'run ids'],
          sides.map(({ label, runs }) => [label, String(runs.length), longCell(idsOf(runs).join(' '))]),
        )}
        ${
          fields.length === 0
            ? html`<p>Plan, host, server and versions are the same on all sides.</p>`
            : table(
                'What differs',
                ['differs', ...sides.map(({ label }) => label)],
                fields.map(({ about, field, values }) => [`${about}: ${field}`, ...values.map(longCell)]),
              )
        }`,
      )}
    </main>
    <footer>
      Values are geometric means over the runs of a side. An interval holds the true ratio in 99 of 100 cases;
      where it holds 0 % there is no clear difference.
    </footer>`;
  return documentOf(`crategen compare: ${title}`, body, null);
}

function againstSection(label: string, differences: readonly Difference[]): Markup {
  const rows = differences.map((difference) => [
    METRICS[difference.metric].title,
    differenceText(difference),
    ...valuesOf(difference),
  ]);
  return section(
    `against-${label.toLowerCase()}`,
    `${label} against A`,
    html`<figure>
      <figcaption>
        <p>
          A dot is how much more or less than A, the line its interval: green is better, orange worse, grey
          not clearly different.
        </p>
      </figcaption>
      <div class="plot">${intervalChart(label, differences)}</div>
      ${table(`${label} against A`, ['metric', 'difference', 'A', label], rows)}
    </figure>`,
  );
}

/** A line a metric from the low to the high end of its interval, a dot at the ratio, all around 0 %. */
function intervalChart(label: string, differences: readonly Difference[]): Markup {
  const measured = differences.filter(({ ratio }) => ratio !== null);
  const farthest = measured.reduce(
    (most, { ratio }) => Math.max(most, Math.abs((ratio?.high ?? 1) - 1), Math.abs((ratio?.low ?? 1) - 1)),
    0,
  );
  const reach = REACHES.find((each) => each >= farthest) ?? 1;
  const x = (share: number): number =>
    Math.round((Math.max(-reach, Math.min(reach, share)) / reach) * (WIDTH / 2 - 12) * 10) / 10 + WIDTH / 2;
  const height = measured.length * ROW_HEIGHT + 30;
  const rows = measured.map((difference, index) => {
    const { ratio, metric } = difference;
    const y = index * ROW_HEIGHT + 30;
    const [low, value, high] = [ratio?.low ?? 1, ratio?.value ?? 1, ratio?.high ?? 1];
    const better = isBetter(difference);
    const colour = better === null ? 'c5' : better ? 'c2' : 'c1';
    return html`<text class="label" x="0" y="${y - 10}">${METRICS[metric].title}</text>
      <path class="interval ${colour}" d="M${x(low - 1)} ${y}H${x(high - 1)}" />
      <path class="middle ${colour}" d="M${x(value - 1)} ${y}h.01" />`;
  });
  const marks = [-reach, -reach / 2, 0, reach / 2, reach].map((share) => {
    const side = share === -reach ? 'start' : share === reach ? 'end' : 'mid';
    const text = share === 0 ? 'as A' : `${share > 0 ? '+' : '−'}${(Math.abs(share) * 100).toFixed(0)} %`;
    return html`<path class="${share === 0 ? 'base' : 'grid'}" d="M${x(share)} 0V${height - 22}" /><text
        class="label x ${side}"
        x="${x(share)}"
        y="${height - 6}"
        >${text}</text
      >`;
  });
  const spoken = differences.map(
    (difference) => `${METRICS[difference.metric].title}: ${differenceText(difference)}`,
  );
  return html`<svg
    class="chart"
    viewBox="0 0 ${WIDTH} ${height}"
    role="img"
    aria-label="${label} against A. ${spoken.join('. ')}"
  >
    ${marks}${rows}
  </svg>`;
}
