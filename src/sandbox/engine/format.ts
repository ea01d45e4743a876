/** Expressions and tables as SQL text: names of answer columns, constraint messages, SHOW CREATE TABLE. */
import type { Expression, Options } from '../sql/ast.ts';
import type { Column, Table } from './catalog.ts';
import { doubleText, valueText } from '../values/java-text.ts';
import { isDouble, isJsonArray, isJsonObject, JavaDouble, type Json } from '../values/json.ts';
import { baseName, type DataType } from '../values/types.ts';

/** `answer`: names of result columns (`(a > 0)`, `x['y']`). `ddl`: as constraints are kept (`"a" > 0`). */
export type Style = 'answer' | 'ddl';

/** The name of a result column: a function gives its own, everything else its text. */
export function columnTitle(expression: Expression): string {
  if (expression.kind === 'call') return expression.name;
  if (expression.kind === 'binary' && expression.operator === '||') return 'op_||';
  return formatExpression(expression, 'answer');
}

export function formatExpression(expression: Expression, style: Style): string {
  const inner = (part: Expression): string => formatExpression(part, style);
  const list = (parts: readonly Expression[]): string => parts.map(inner).join(', ');
  const wrap = (text: string): string => (style === 'answer' ? `(${text})` : text);
  switch (expression.kind) {
    case 'literal':
      return literalText(expression.value, expression.type);
    case 'param':
      return `$${expression.index + 1}`;
    case 'column':
      return style === 'ddl' ? quoted(expression.name) : expression.name;
    case 'subscript':
      return `${inner(expression.base)}[${inner(expression.index)}]`;
    case 'call':
      return callText(expression, list(expression.args), style);
    case 'star':
      return '*';
    case 'binary':
      return binaryText(expression, style);
    case 'not':
      return wrap(`NOT ${inner(expression.operand)}`);
    case 'negate':
      return `- ${inner(expression.operand)}`;
    case 'isNull':
      return wrap(`${inner(expression.operand)} IS ${expression.negated ? 'NOT ' : ''}NULL`);
    case 'in':
      return wrap(
        `${inner(expression.operand)} ${expression.negated ? 'NOT ' : ''}IN (${list(expression.list)})`,
      );
    case 'inSelect':
    case 'scalar':
      return '(SELECT …)';
    case 'between':
      return wrap(
        `${inner(expression.operand)} ${expression.negated ? 'NOT ' : ''}BETWEEN ${inner(expression.low)} AND ${inner(expression.high)}`,
      );
    case 'any':
      return wrap(
        `${inner(expression.left)} ${expression.operator} ${expression.all ? 'ALL' : 'ANY'}(${inner(expression.array)})`,
      );
    case 'cast':
      return `CAST(${inner(expression.operand)} AS ${castName(expression.type)})`;
    case 'array':
      return `[${list(expression.items)}]`;
    case 'object':
      return `{${expression.entries.map(([key, value]) => `${quoted(key)}= ${inner(value)}`).join(', ')}}`;
    case 'case':
      return caseText(expression, style);
  }
}

function callText(call: Extract<Expression, { kind: 'call' }>, args: string, style: Style): string {
  if (/^(current_|session_user$)/.test(call.name) && args === '')
    return style === 'ddl' ? call.name.toUpperCase() : call.name;
  return `${call.name}(${call.distinct ? 'DISTINCT ' : ''}${args})`;
}

/** Kinds that stand in parentheses inside another operation. */
const PREDICATES: ReadonlySet<Expression['kind']> = new Set([
  'binary',
  'not',
  'isNull',
  'in',
  'between',
  'any',
]);

function binaryText(expression: Extract<Expression, { kind: 'binary' }>, style: Style): string {
  const operator = expression.operator === '^' ? '^' : expression.operator.toUpperCase();
  const side = (part: Expression): string => {
    const text = formatExpression(part, style);
    return style === 'ddl' && PREDICATES.has(part.kind) ? `(${text})` : text;
  };
  const text = `${side(expression.left)} ${operator} ${side(expression.right)}`;
  return style === 'answer' ? `(${text})` : text;
}

function caseText(expression: Extract<Expression, { kind: 'case' }>, style: Style): string {
  const inner = (part: Expression): string => formatExpression(part, style);
  const operand = expression.operand === null ? '' : ` ${inner(expression.operand)}`;
  const branches = expression.branches
    .map(([when, then]) => ` WHEN ${inner(when)} THEN ${inner(then)}`)
    .join('');
  const otherwise = expression.otherwise === null ? '' : ` ELSE ${inner(expression.otherwise)}`;
  const text = `CASE${operand}${branches}${otherwise} END`;
  return style === 'answer' ? `(${text})` : text;
}

function castName(type: DataType): string {
  return type.kind === 'array' ? `array(${castName(type.element)})` : ddlType(type).toLowerCase();
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A value as SQL text. */
export function literalText(value: Json, type: DataType): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string')
    return type.kind === 'bit' ? `B'${value}'` : `'${value.replaceAll("'", "''")}'`;
  if (value instanceof JavaDouble) return doubleText(value.value);
  if (isDouble(value)) return doubleText(Number(value));
  if (isJsonArray(value)) return `[${value.map((item) => literalText(item, type)).join(', ')}]`;
  if (isJsonObject(value))
    return `{${Object.keys(value)
      .map((key) => `${quoted(key)} = ${literalText(value[key] ?? null, type)}`)
      .join(', ')}}`;
  return String(value);
}

/** The type as CREATE TABLE has it, objects without their columns. */
function ddlType(type: DataType): string {
  switch (type.kind) {
    case 'text':
      return type.length === null ? 'TEXT' : `VARCHAR(${type.length})`;
    case 'character':
    case 'bit':
      return `${baseName(type).toUpperCase()}(${type.length})`;
    case 'float_vector':
      return `FLOAT_VECTOR(${type.dimensions})`;
    case 'numeric':
      if (type.precision === null) return 'NUMERIC';
      return `NUMERIC(${type.precision}${type.scale === null ? '' : `, ${type.scale}`})`;
    case 'object':
      return `OBJECT(${type.policy.toUpperCase()})`;
    default:
      return baseName(type).toUpperCase();
  }
}

const STEP = '   ';

function columnType(type: DataType, indent: string): string {
  if (type.kind === 'array') return `ARRAY(${columnType(type.element, indent)})`;
  if (type.kind !== 'object' || type.fields.size === 0) return ddlType(type);
  const deeper = indent + STEP;
  const fields = [...type.fields].map(([name, field]) => {
    return `${deeper}${quoted(name)} ${columnType(field.type, deeper)}${field.notNull ? ' NOT NULL' : ''}`;
  });
  return `${ddlType(type)} AS (\n${fields.join(',\n')}\n${indent})`;
}

function columnText(column: Column): string {
  const parts = [`${STEP}${quoted(column.name)} ${columnType(column.type, STEP)}`];
  if (column.defaultValue !== null) parts.push(`DEFAULT ${formatExpression(column.defaultValue, 'ddl')}`);
  if (column.generated !== null)
    parts.push(`GENERATED ALWAYS AS ${formatExpression(column.generated, 'ddl')}`);
  if (column.notNull) parts.push('NOT NULL');
  if (column.index !== null) parts.push(indexText(column.index));
  else if (column.type.kind === 'geo_shape') parts.push('INDEX USING GEOHASH');
  if (column.storage !== null) parts.push(`STORAGE WITH ${optionBlock(column.storage)}`);
  return parts.join(' ');
}

function indexText(index: NonNullable<Column['index']>): string {
  if (index.method === 'off') return 'INDEX OFF';
  const options = index.options.length === 0 ? '' : ` WITH ${optionBlock(index.options)}`;
  return `INDEX USING ${index.method.toUpperCase()}${options}`;
}

function optionBlock(options: Options): string {
  const lines = options.map(([name, value]) => `${STEP}${STEP}${name} = ${formatExpression(value, 'ddl')}`);
  return `(\n${lines.join(',\n')}\n${STEP})`;
}

/** Settings that SHOW CREATE TABLE always names. */
const ALWAYS_SHOWN: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['column_policy', 'strict'],
  ['number_of_replicas', '0-1'],
]);
const SHOWN_AS_TEXT: ReadonlySet<string> = new Set(['number_of_replicas', 'write.wait_for_active_shards']);

/** SHOW CREATE TABLE: a statement that makes the same table again. */
export function createTableText(table: Table): string {
  const lines = table.columns.map(columnText);
  if (table.primaryKey.length > 0) {
    const name = table.primaryKeyName === null ? '' : `CONSTRAINT ${quoted(table.primaryKeyName)} `;
    lines.push(`${STEP}${name}PRIMARY KEY (${table.primaryKey.map(pathText).join(', ')})`);
  }
  for (const check of table.checks)
    lines.push(
      `${STEP}CONSTRAINT ${constraintName(check.name)} CHECK(${formatExpression(check.expression, 'ddl')})`,
    );
  const by = clusteredBy(table);
  const clustered = by === '_id' ? 'CLUSTERED' : `CLUSTERED BY (${pathText(by)})`;
  const partitioned =
    table.partitionedBy.length === 0
      ? ''
      : `\nPARTITIONED BY (${table.partitionedBy.map(pathText).join(', ')})`;
  return (
    `CREATE TABLE IF NOT EXISTS ${quoted(table.schema)}.${quoted(table.name)} (\n${lines.join(',\n')}\n)\n` +
    `${clustered} INTO ${table.shards} SHARDS${partitioned}\nWITH (\n${optionLines(table).join(',\n')}\n)`
  );
}

function constraintName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoted(name);
}

function optionLines(table: Table): readonly string[] {
  const options = new Map([...ALWAYS_SHOWN, ...table.options]);
  return [...options]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const shown = SHOWN_AS_TEXT.has(name) ? valueText(value) : value;
      const label = /^[a-z_]+$/.test(name) ? name : quoted(name);
      return `${STEP}${label} = ${literalText(shown, { kind: 'text', length: null })}`;
    });
}

/** `o['a']` → `"o"['a']`. */
function pathText(path: string): string {
  const bracket = path.indexOf('[');
  return bracket === -1 ? quoted(path) : `${quoted(path.slice(0, bracket))}${path.slice(bracket)}`;
}

/** The routing column: the one named, a single primary key, or `_id`. */
export function clusteredBy(table: Table): string {
  return table.clusteredBy ?? (table.primaryKey.length === 1 ? (table.primaryKey[0] ?? '_id') : '_id');
}
