/**
 * Shows what the server of this page sends: everything so far when it connects, then what changes. Texts are put in
 * as texts, never as markup. Nothing is asked of the run, and after its end the page stays as it was.
 */
'use strict';

/** Beyond this every second point is forgotten; the server keeps about as many. */
const MAX_POINTS = 2400;
const TREND_POINTS = 60;
const SVG = 'http://www.w3.org/2000/svg';
/** Of a chart's own coordinates; the style sheet stretches them. */
const [WIDTH, HEIGHT] = [600, 100];

const CHARTS = [
  { title: 'Rows per second', format: short, curves: [{ name: 'acknowledged', values: rates }] },
  {
    title: 'Service time, ms',
    format: short,
    curves: [
      { name: 'p50', values: (points) => points.map((point) => point.p50Ms) },
      { name: 'p99', values: (points) => points.map((point) => point.p99Ms) },
    ],
  },
  {
    title: 'CPU, 100 % = one core',
    format: (value) => `${short(value)} %`,
    curves: [
      { name: 'workers', values: (points) => points.map((point) => point.cpuPercent) },
      { name: 'server', values: (points) => points.map((point) => point.serverCpuPercent) },
    ],
  },
  {
    title: 'Rows rejected, failed or unknown',
    format: short,
    curves: [{ name: 'rows so far', values: (points) => points.map((point) => point.missing) }],
  },
];

const page = {
  columns: [],
  points: [],
  trends: [],
  picture: null,
  sort: { column: 0, isDescending: false },
};

const byId = (id) => document.getElementById(id);

connect();

function connect() {
  const events = new EventSource('events');
  const on = (name, take) => events.addEventListener(name, (event) => take(JSON.parse(event.data)));
  on('hello', (hello) => {
    Object.assign(page, { columns: hello.columns, points: hello.points, trends: hello.trends });
    byId('notes').replaceChildren(...hello.notes.map(noteItem));
    byId('end').hidden = true;
    drawColumns();
    if (hello.picture !== null) draw(hello.picture);
  });
  on('picture', ({ picture, points }) => {
    page.points.push(...points);
    if (page.points.length > MAX_POINTS) page.points = page.points.filter((_, index) => index % 2 === 1);
    for (let added = 0; added < points.length; added += 1) extendTrends(picture);
    draw(picture);
  });
  on('note', (note) => {
    byId('notes').append(noteItem(note));
    byId('notes').scrollTop = byId('notes').scrollHeight;
  });
  on('end', (end) => {
    events.close();
    drawEnd(end);
  });
  events.addEventListener('error', () => {
    if (events.readyState !== EventSource.CLOSED || byId('end').hidden) say('no connection', 'trouble');
  });
}

function extendTrends(picture) {
  const rate = page.columns.findIndex((column) => column.key === 'rate');
  page.trends = picture.workers.map((worker, position) =>
    [...(page.trends[position] ?? []), worker.values[rate] ?? 0].slice(-TREND_POINTS),
  );
}

function say(text, tone) {
  const label = byId('label');
  // A status that is set anew is read out anew.
  if (label.textContent !== text) label.textContent = text;
  label.dataset.tone = tone;
}

function draw(picture) {
  page.picture = picture;
  document.title = `${picture.label} · ${picture.table} · crategen`;
  byId('target').textContent = `crategen ${picture.command} → ${picture.target}`;
  byId('table').textContent = `${picture.table} · run ${picture.runId}`;
  byId('insecure').hidden = !picture.isInsecure;
  byId('clock').textContent = picture.clock;
  say(picture.label, picture.tone);
  byId('done').hidden = picture.done === null;
  if (picture.done !== null) byId('done').value = picture.done;
  byId('lines').replaceChildren(...picture.lines.map(({ text, tone }) => element('p', { text, tone })));
  drawFacts('facts', picture.facts);
  drawFacts('ledger', picture.ledger);
  drawErrors(picture.errors);
  byId('verdict').textContent = picture.verdict ?? '';
  byId('server').hidden = picture.server.length === 0;
  byId('nodes').replaceChildren(...picture.server.map((text) => element('li', { text })));
  drawWorkers(picture);
  drawCharts();
}

function drawFacts(id, facts) {
  byId(id).replaceChildren(
    ...facts.map(({ name, text, isTrouble }) => {
      const pair = element('div', {});
      const tone = isTrouble === true ? 'trouble' : undefined;
      pair.append(element('dt', { text: name }), element('dd', { text, tone }));
      return pair;
    }),
  );
}

function drawErrors(errors) {
  byId('no-errors').hidden = errors.length > 0;
  byId('errors').replaceChildren(
    ...errors.flatMap(({ head, example }) => [
      element('dt', { text: head }),
      element('dd', { text: example }),
    ]),
  );
}

function drawColumns() {
  const headers = page.columns.map(({ header, meaning, isNumber }, column) => {
    const cell = element('th', { className: isNumber ? 'number' : '' });
    const button = element('button', { text: header });
    button.type = 'button';
    button.title = `${meaning}: sort by it`;
    button.addEventListener('click', () => sortBy(column));
    cell.scope = 'col';
    cell.append(button);
    return cell;
  });
  const last = element('th', { text: 'last minute' });
  last.scope = 'col';
  byId('columns').replaceChildren(...headers, last);
  showSort();
}

function sortBy(column) {
  const isSame = page.sort.column === column;
  page.sort = { column, isDescending: isSame ? !page.sort.isDescending : page.columns[column].isNumber };
  showSort();
  if (page.picture !== null) drawWorkers(page.picture);
}

function showSort() {
  for (const [column, cell] of [...byId('columns').children].entries()) {
    const isSorted = column === page.sort.column;
    if (isSorted) cell.setAttribute('aria-sort', page.sort.isDescending ? 'descending' : 'ascending');
    else cell.removeAttribute('aria-sort');
  }
}

function drawWorkers(picture) {
  const { column, isDescending } = page.sort;
  const value = ({ worker }) => worker.values[column] ?? -1;
  const sorted = picture.workers
    .map((worker, position) => ({ worker, position }))
    .sort((a, b) => (isDescending ? value(b) - value(a) : value(a) - value(b)) || a.position - b.position);
  const top = Math.max(1, ...page.trends.flat());
  byId('workers').replaceChildren(
    ...sorted.map(({ worker, position }) => {
      const row = tableRow(worker.cells);
      row.classList.toggle('gone', worker.isGone);
      row.classList.toggle('trouble', worker.isTroubled);
      const trend = element('td', {});
      trend.append(curveSvg([page.trends[position] ?? []], top, `last minute of process ${worker.cells[0]}`));
      row.append(trend);
      return row;
    }),
  );
  byId('sums').replaceChildren(tableRow([...picture.total, '']), tableRow([...picture.parent, '']));
}

function tableRow(cells) {
  const row = element('tr', {});
  cells.forEach((text, column) => {
    const cell = element(column === 0 ? 'th' : 'td', {
      text,
      className: page.columns[column]?.isNumber === true ? 'number' : '',
    });
    if (column === 0) cell.scope = 'row';
    row.append(cell);
  });
  return row;
}

function drawCharts() {
  const { points } = page;
  const [first, last] = [points[0]?.tMs ?? 0, points.at(-1)?.tMs ?? 0];
  byId('charts').replaceChildren(
    ...CHARTS.map(({ title, format, curves }) => {
      const lists = curves.map(({ values }) => values(points));
      const known = lists.flat().filter((value) => value !== null);
      const top = Math.max(0, ...known);
      const now = curves.map(({ name }, index) => `${name} ${shown(lists[index].at(-1), format)}`);
      const figure = element('figure', {});
      const caption = element('figcaption', {});
      caption.append(element('strong', { text: title }));
      curves.forEach((_, index) => {
        caption.append(
          element('span', { text: now[index], className: `legend ${index === 1 ? 'second' : ''}` }),
        );
      });
      const svg = curveSvg(
        lists,
        top,
        `${title}: now ${now.join(', ')}; at most ${shown(top, format)}`,
        true,
      );
      figure.append(caption, axis(shown(top, format), ''), svg, axis(clock(first), clock(last)));
      return figure;
    }),
  );
}

function axis(left, right) {
  const line = element('div', { className: 'axis' });
  line.append(element('span', { text: left }), element('span', { text: right }));
  return line;
}

/** Curves from 0 to `top`; where a value was not measured the curve has a gap. */
function curveSvg(lists, top, label, hasGrid = false) {
  const svg = svgElement('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': label,
  });
  if (hasGrid)
    for (const y of [0, HEIGHT / 2, HEIGHT])
      svg.append(svgElement('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y }));
  lists.forEach((values, index) => {
    const step = WIDTH / Math.max(1, values.length - 1);
    let path = '';
    let isDown = false;
    values.forEach((value, position) => {
      if (value !== null) {
        const y = HEIGHT - (top > 0 ? (value / top) * (HEIGHT - 2) : 0) - 1;
        path += `${isDown ? 'L' : 'M'}${(position * step).toFixed(1)} ${y.toFixed(1)}`;
      }
      isDown = value !== null;
    });
    svg.append(svgElement('path', { class: `curve ${index === 1 ? 'second' : ''}`, d: path }));
  });
  return svg;
}

/** Rows per second between neighbours; the first point counts from the start. */
function rates(points) {
  return points.map((point, index) => {
    const before = points[index - 1] ?? { tMs: 0, rows: 0 };
    const seconds = (point.tMs - before.tMs) / 1000;
    return seconds > 0 ? (point.rows - before.rows) / seconds : null;
  });
}

function drawEnd(end) {
  byId('end').hidden = false;
  byId('metrics').hidden = true;
  const isWell = end?.isWell === true;
  byId('end').classList.toggle('trouble', !isWell);
  if (end === null) {
    say('ended', 'trouble');
    byId('headline').textContent = 'The run did not come to a result: the terminal says why.';
    return;
  }
  say(`ended, exit code ${end.exitCode}`, isWell ? 'good' : 'trouble');
  document.title = `ended · ${document.title}`;
  byId('headline').textContent = end.headline;
  byId('end-lines').replaceChildren(...end.lines.map((text) => element('li', { text })));
  byId('commands').textContent = end.commands.join('\n');
  if (end.report === null) return;
  const link = element('a', { text: 'Save the report of this run' });
  // The server is gone when this is clicked, so the page keeps the report itself.
  link.href = URL.createObjectURL(new Blob([end.report], { type: 'text/html' }));
  link.download = `crategen-${page.picture?.runId ?? 'run'}.html`;
  byId('report').replaceChildren(link);
  byId('report').hidden = false;
}

function noteItem({ text, level }) {
  const item = element('li', { text });
  item.dataset.level = level;
  return item;
}

function element(name, { text, tone, className }) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (tone !== undefined) made.dataset.tone = tone;
  if (className) made.className = className;
  return made;
}

function svgElement(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function shown(value, format) {
  return value === null || value === undefined ? '–' : format(value);
}

/** 57312 → `57.3 k`. */
function short(value) {
  const units = ['', ' k', ' m', ' g'];
  let step = 0;
  let size = value;
  while (size >= 999.5 && step < units.length - 1) {
    size /= 1000;
    step += 1;
  }
  return `${Number(size.toPrecision(3))}${units[step]}`;
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (value) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
}
