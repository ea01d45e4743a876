/**
 * The script of reports: behind each chart a button that puts a chart in its place which can be zoomed by dragging, by
 * buttons and by keys. Plain text for the browser, so that it is hashed and inlined as it is; the report is complete
 * without it.
 */

export const ZOOM_SCRIPT = `
'use strict';
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dashes = [[], [7, 3], [2.5, 3], [], [7, 3], [2.5, 3]];
  const plots = new Map();
  const clock = (seconds) => {
    const two = (value) => String(value).padStart(2, '0');
    const whole = Math.floor(seconds), part = seconds - whole;
    const text = (whole >= 3600 ? Math.floor(whole / 3600) + ':' + two(Math.floor(whole / 60) % 60) : two(Math.floor(whole / 60))) + ':' + two(whole % 60);
    return part > 0.0005 ? text + part.toFixed(2).slice(1) : text;
  };
  const short = (value) => {
    if (value === null || value === undefined) return '\\u2013';
    const size = Math.abs(value);
    for (const [factor, unit] of [[1e9, ' g'], [1e6, ' m'], [1e3, ' k']])
      if (size >= factor) return Number((value / factor).toPrecision(3)) + unit;
    return String(Number(value.toPrecision(3)));
  };
  const wake = () => {
    if (typeof uPlot !== 'undefined') return;
    const script = document.createElement('script');
    script.textContent = document.getElementById('zoom-library').textContent;
    document.head.append(script);
  };
  const marks = JSON.parse(document.getElementById('marks')?.textContent ?? '[]');
  const tones = { loss: '--bad', pause: '--c4', stop: '--ink' };
  const drawMarks = (chart) => {
    const { ctx, bbox } = chart, scale = devicePixelRatio, bottom = bbox.top + bbox.height;
    ctx.save();
    ctx.lineWidth = scale;
    ctx.font = 11 * scale + 'px system-ui, sans-serif';
    let free = bbox.left;
    for (const { from, to, tone, label } of marks) {
      const left = Math.max(bbox.left, chart.valToPos(from, 'x', true)), right = Math.min(bbox.left + bbox.width, chart.valToPos(to, 'x', true));
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      ctx.fillStyle = ctx.strokeStyle = colour(tones[tone]);
      ctx.globalAlpha = 0.16;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 1;
      ctx.setLineDash([3 * scale, 2 * scale]);
      ctx.beginPath();
      ctx.moveTo(left, bbox.top);
      ctx.lineTo(left, bottom);
      ctx.stroke();
      const text = label.split(' ')[0], width = ctx.measureText(label).width;
      if (left < free) continue;
      const fits = left + width < bbox.left + bbox.width;
      ctx.fillText(fits ? label : text, left, bbox.top - 5 * scale);
      free = left + (fits ? width : ctx.measureText(text).width) + 8 * scale;
    }
    ctx.restore();
  };
  const draw = (plot, data) => {
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--edge'), width: 1 }, ticks: { stroke: colour('--edge'), width: 1 } };
    const chart = new uPlot({
      width: plot.clientWidth,
      height: Math.max(220, Math.round(plot.clientWidth * 0.3)),
      scales: { x: { time: false, range: (self, min, max) => [Math.max(0, min), Math.min(data.xMax, max)] }, y: { range: (self, min, max) => [0, (max || 1) * 1.05] } },
      axes: [{ ...axis, values: (self, ticks) => ticks.map(clock) }, { ...axis, size: 64, values: (self, ticks) => ticks.map(short) }],
      series: [{ label: 'time', value: (self, value) => value === null ? '\\u2013' : clock(value) }].concat(data.lines.map((line, index) => ({
        label: line.name, stroke: colour('--c' + (index % 6)), dash: dashes[index % 6], width: 1.75, points: { show: false },
        value: (self, value) => value === null ? '\\u2013' : short(value) + ' ' + data.unit,
      }))),
      padding: [marks.length > 0 ? 22 : null, null, null, null],
      hooks: { drawClear: [drawMarks] },
      cursor: { sync: { key: 'report' } },
    }, [data.x].concat(data.lines.map((line) => line.values)), plot);
    return chart;
  };
  const move = (chart, data, factor, shift) => {
    const { min, max } = chart.scales.x;
    const middle = (min + max) / 2 + shift * (max - min), half = Math.max((max - min) * factor, data.xMax / 5000) / 2;
    chart.setScale('x', { min: Math.max(0, middle - half), max: Math.min(data.xMax, middle + half) });
  };
  const open = (figure, plot, data, bar) => {
    const chart = draw(plot, data);
    plots.set(plot, { chart, data });
    plot.classList.add('zoomed');
    plot.tabIndex = 0;
    plot.setAttribute('role', 'group');
    plot.setAttribute('aria-label', 'Zoomed chart. Plus and minus zoom, arrow keys move, 0 shows all.');
    const current = () => plots.get(plot).chart;
    const actions = { 'Zoom in': () => move(current(), data, 0.5, 0), 'Zoom out': () => move(current(), data, 2, 0), 'Show all': () => current().setScale('x', { min: 0, max: data.xMax }) };
    for (const [name, act] of Object.entries(actions)) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = name;
      button.addEventListener('click', act);
      bar.append(button);
    }
    plot.addEventListener('keydown', (event) => {
      const keys = { '+': actions['Zoom in'], '=': actions['Zoom in'], '-': actions['Zoom out'], '0': actions['Show all'], ArrowLeft: () => move(current(), data, 1, -0.25), ArrowRight: () => move(current(), data, 1, 0.25) };
      const act = keys[event.key];
      if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
  };
  for (const figure of document.querySelectorAll('figure')) {
    const block = figure.querySelector('script.data'), plot = figure.querySelector('.plot');
    if (block === null || plot === null) continue;
    const title = figure.querySelector('h3').textContent;
    const bar = document.createElement('div');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Zoom';
    button.setAttribute('aria-label', 'Zoom into ' + title);
    button.addEventListener('click', () => {
      button.remove();
      wake();
      open(figure, plot, JSON.parse(block.textContent), bar);
      plot.focus();
    });
    bar.append(button);
    figure.querySelector('details').before(bar);
  }
  const again = () => {
    for (const [plot, { chart, data }] of plots) {
      const { min, max } = chart.scales.x;
      chart.destroy();
      const fresh = draw(plot, data);
      fresh.setScale('x', { min, max });
      plots.set(plot, { chart: fresh, data });
    }
  };
  addEventListener('load', () => setTimeout(() => document.documentElement.classList.add('whole')));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
  let timer = 0;
  addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(again, 150); });
})();
`;
