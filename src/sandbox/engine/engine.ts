/** One statement in, one answer out: the part of the endpoint that knows SQL but nothing of HTTP. */
import type { Expression, RelationRef, SelectItem, Source, Statement } from '../sql/ast.ts';
import { Catalog, constantOf, fullName, isOn, relationName, writeBlock, type Table } from './catalog.ts';
import { compileExpression, NO_COLUMNS, type CompileContext, type Scope } from './expressions.ts';
import { BLOCKS, SqlFailure, blocked, inaccessible, invalid, unsupported, type Block } from '../failure.ts';
import { createTableText, columnTitle } from './format.ts';
import { Definitions } from './definitions.ts';
import type { Environment } from './functions.ts';
import { InsertPlan, assignedCell, targetColumn, type ElementResult } from './insert.ts';
import { valueText } from '../values/java-text.ts';
import { isJsonArray, isJsonObject, parseJson, type Json } from '../values/json.ts';
import { parseStatement } from '../sql/statement-parser.ts';
import {
  columnsOf,
  conjuncts,
  contextOf,
  evaluateRows,
  runSelect,
  type NamedType,
  type Relation,
  type ResultSet,
  type SelectTools,
} from './select.ts';
import type { Session } from './session.ts';
import { answerText, decodeCell, type Cell } from '../values/cells.ts';
import { statisticsOf } from './statistics.ts';
import { Store, rowsOf } from './store.ts';
import type { Situation } from '../faults.ts';
import type { OwnLoad } from '../own-load.ts';
import { systemTable } from '../system-tables/system-tables.ts';
import { pushWhere, tableRelation } from './table-relation.ts';
import { TEXT, type DataType } from '../values/types.ts';
import type { Row } from '../values/operations.ts';

/** Rows, or the number of rows that a statement changed. */
export type Answer =
  | { readonly kind: 'rows'; readonly result: ResultSet }
  | { readonly kind: 'count'; readonly rowcount: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'bulk'; readonly results: readonly ElementResult[] };

export interface EngineOptions {
  readonly dataFile: string | null;
  /** Bytes of rows after which writes are refused as by a full disk; null for no limit. */
  readonly maxMemoryBytes: number | null;
  readonly address: () => string;
  readonly nowMs: () => number;
  readonly situation: () => Situation;
  readonly ownLoad: () => OwnLoad;
}

export interface Request {
  readonly statement: string;
  readonly args: readonly Json[];
  /** Null on the single path. */
  readonly bulkArgs: readonly (readonly Json[])[] | null;
  readonly session: Session;
}

/** Statements kept parsed; a run sends few. */
const MAX_PARSED = 200;

export class Engine {
  readonly catalog = new Catalog();
  readonly store: Store;
  readonly #options: EngineOptions;
  readonly #definitions: Definitions;
  readonly #parsed = new Map<string, Statement>();
  readonly #inserts = new Map<string, { readonly plan: InsertPlan; readonly version: number }>();

  /** Opens the data file and reads its tables back. Throws SQLite's errors. */
  constructor(options: EngineOptions) {
    this.#options = options;
    this.store = new Store(options.dataFile);
    this.#definitions = new Definitions(this.catalog, this.store);
    for (const kept of this.store.kept()) {
      const statement = parseStatement(kept.ddl);
      if (statement.kind !== 'createTable') continue;
      const table = this.catalog.create(statement, statement.relation.schema ?? 'doc', kept.id);
      restoreState(table, kept.state);
    }
  }

  close(): void {
    this.store.close();
  }

  /** Throws SqlFailure for everything that the server would refuse. */
  execute(request: Request): Answer {
    const statement = this.#parse(request.statement);
    return request.bulkArgs === null
      ? this.#runSingle(statement, request)
      : this.#runBulk(statement, request, request.bulkArgs);
  }

  #parse(text: string): Statement {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const statement = parseStatement(text);
    if (this.#parsed.size >= MAX_PARSED) this.#parsed.clear();
    this.#parsed.set(text, statement);
    return statement;
  }

  #environment(session: Session): Environment {
    return { user: session.user, schema: session.schema, nowMs: this.#options.nowMs() };
  }

  #tools(request: Request): SelectTools {
    const environment = this.#environment(request.session);
    return { environment, relation: (source) => this.#relation(source, request, environment) };
  }

  #relation(
    source: Extract<Source, { kind: 'relation' }>,
    request: Request,
    environment: Environment,
  ): Relation {
    const { schema, name } = relationName(source.relation, request.session.schema);
    const system = systemTable(schema, name, {
      catalog: this.catalog,
      store: this.store,
      environment,
      address: this.#options.address,
      statement: request.statement,
      startedMs: environment.nowMs,
      situation: this.#options.situation(),
      ownLoad: this.#options.ownLoad,
    });
    if (system !== null) return system;
    const table = this.catalog.get(schema, name);
    if (table.closed) throw inaccessible(fullName(table), 'READ', true);
    return tableRelation(table, this.store);
  }

  #table(relation: RelationRef, session: Session): Table {
    return this.catalog.named(relation, session.schema);
  }

  #runBulk(statement: Statement, request: Request, bulkArgs: readonly (readonly Json[])[]): Answer {
    switch (statement.kind) {
      case 'insert':
        if (statement.returning.length > 0) throw resultInBulk();
        if (statement.source.kind === 'select') throw unsupported('Bulk operation not supported for Insert');
        return {
          kind: 'bulk',
          results: this.#insertPlan(statement, request).runBulk(bulkArgs, this.#environment(request.session)),
        };
      case 'update':
      case 'delete':
        return {
          kind: 'bulk',
          results: bulkArgs.map((args) => this.#changeElement(statement, { ...request, args })),
        };
      case 'select':
      case 'values':
      case 'showCreate':
      case 'show':
      case 'showParameter':
        if (bulkArgs.length === 0) return { kind: 'bulk', results: [] };
        throw resultInBulk();
      default:
        if (bulkArgs.length === 0) return { kind: 'bulk', results: [] };
        throw unsupported(`Bulk operation not supported for ${planName(statement.kind)}`);
    }
  }

  #changeElement(
    statement: Extract<Statement, { kind: 'update' | 'delete' }>,
    request: Request,
  ): ElementResult {
    const table = this.#table(statement.relation, request.session);
    const rowcount = this.#change(statement, request);
    const key = rowcount === 0 ? this.#missingKey(statement.where, table, request) : null;
    if (key === null) return { rowcount, failure: null };
    return {
      rowcount: -2,
      failure: new SqlFailure(404, 40411, `DocumentMissingException[[${key}]: document missing]`),
    };
  }

  /** The key that a condition names, when it names exactly the primary key. */
  #missingKey(where: Expression | null, table: Table, request: Request): string | null {
    const context = contextOf(NO_COLUMNS, request.args, this.#tools(request));
    const values = table.primaryKey.map((name) => {
      const found = conjuncts(where).find(
        (part) =>
          part.kind === 'binary' &&
          part.operator === '=' &&
          part.left.kind === 'column' &&
          part.left.name === name,
      );
      return found?.kind === 'binary'
        ? valueText(compileExpression(found.right, context).evaluate([]))
        : null;
    });
    return values.length === 0 || values.includes(null) ? null : values.join(',');
  }

  #insertPlan(statement: Extract<Statement, { kind: 'insert' }>, request: Request): InsertPlan {
    const key = `${request.session.schema}\0${request.statement}`;
    const known = this.#inserts.get(key);
    if (known !== undefined && known.version === this.catalog.version) return known.plan;
    const plan = new InsertPlan(statement, this.#table(statement.relation, request.session), {
      catalog: this.catalog,
      store: this.store,
      globalBlock: () => this.#globalBlock(),
      context: (scope, params, environment) =>
        this.#context(scope, params, { ...this.#tools(request), environment }),
    });
    if (this.#inserts.size >= MAX_PARSED) this.#inserts.clear();
    this.#inserts.set(key, { plan, version: this.catalog.version });
    return plan;
  }

  #context(scope: Scope, params: readonly Json[], tools: SelectTools): CompileContext {
    return contextOf(scope, params, tools);
  }

  /** The answer of a full disk, once the rows take more than they may. */
  #globalBlock(): Block | null {
    const { maxMemoryBytes } = this.#options;
    return maxMemoryBytes !== null && this.store.usedBytes() > maxMemoryBytes
      ? BLOCKS.readOnlyAllowDelete
      : null;
  }

  #runSingle(statement: Statement, request: Request): Answer {
    const { session } = request;
    switch (statement.kind) {
      case 'empty':
        return { kind: 'nothing' };
      case 'select':
        return { kind: 'rows', result: runSelect(statement.select, request.args, this.#tools(request)) };
      case 'values':
        return {
          kind: 'rows',
          result: evaluateRows(statement.rows, contextOf(NO_COLUMNS, request.args, this.#tools(request))),
        };
      case 'insert':
        return this.#insert(statement, request);
      case 'update':
      case 'delete':
        return count(this.#change(statement, request));
      case 'createTable':
        return count(this.#definitions.createTable(statement, session));
      case 'dropTable':
        return count(this.#definitions.dropTable(statement, session));
      case 'createSchema':
        return count(this.#definitions.createSchema(statement.name, statement.ifNotExists));
      case 'dropSchema':
        return count(this.#definitions.dropSchema(statement.name, statement.ifExists));
      case 'alterTable':
        return count(this.#definitions.alterTable(statement, session));
      case 'refresh':
      case 'optimize':
        for (const target of statement.targets) this.#definitions.partitions(target, session);
        return count(statement.targets.length);
      case 'analyze':
        for (const table of this.catalog.tables()) table.statistics = statisticsOf(table, this.store);
        return count(1);
      case 'transaction':
      case 'kill':
        return count(0);
      case 'set':
        setSession(session, statement.name, statement.values);
        return count(0);
      case 'setGlobal':
        for (const [name, value] of statement.options) this.catalog.globals.set(name, constantOf(value));
        return count(1);
      case 'resetGlobal':
        for (const name of statement.names) this.catalog.globals.delete(name);
        return count(1);
      case 'showCreate':
        return this.#showCreate(this.#table(statement.relation, session));
      case 'show':
        return this.#show(statement.what, session);
      case 'showParameter': {
        const value = session.settings.get(statement.name) ?? '';
        return textRows('setting', [valueText(value)]);
      }
    }
  }

  #insert(statement: Extract<Statement, { kind: 'insert' }>, request: Request): Answer {
    const environment = this.#environment(request.session);
    const plan = this.#insertPlan(statement, request);
    if (statement.source.kind === 'select') {
      const { rows } = runSelect(statement.source.select, request.args, this.#tools(request));
      const failFast = request.session.settings.get('insert_select_fail_fast') === true;
      return count(plan.runRows(rows, environment, failFast));
    }
    if (statement.returning.length === 0) return count(plan.runSingle(request.args, environment));
    const rows = plan.preview(request.args, environment);
    plan.runSingle(request.args, environment);
    return this.#returning(statement.returning, plan.table, rows, request);
  }

  #returning(items: readonly SelectItem[], table: Table, rows: readonly Row[], request: Request): Answer {
    const context = contextOf(scopeOfTable(table), request.args, this.#tools(request));
    const expanded = items.flatMap((item): readonly SelectItem[] => {
      if (item.expression.kind !== 'star') return [item];
      return table.columns.map(({ name }) => ({
        expression: { kind: 'column', qualifier: null, name },
        alias: null,
      }));
    });
    const compiled = expanded.map((item) => compileExpression(item.expression, context));
    const columns = compiled.map((item, at): NamedType => {
      const source = expanded[at];
      return {
        name: source === undefined ? '' : (source.alias ?? columnTitle(source.expression)),
        type: item.type,
      };
    });
    return {
      kind: 'rows',
      result: { columns, rows: rows.map((row) => compiled.map((item) => item.evaluate(row))) },
    };
  }

  /** UPDATE and DELETE; gives the number of rows changed. */
  #change(statement: Extract<Statement, { kind: 'update' | 'delete' }>, request: Request): number {
    const table = this.#table(statement.relation, request.session);
    const operation = statement.kind === 'update' ? 'UPDATE' : 'DELETE';
    if (table.closed || isOn(table.options, 'blocks.write') || isOn(table.options, 'blocks.read_only'))
      throw inaccessible(fullName(table), operation, table.closed);
    const block = statement.kind === 'update' ? (this.#globalBlock() ?? writeBlock(table.options)) : null;
    if (block !== null) throw blocked(block);
    const context = contextOf(scopeOfTable(table), request.args, this.#tools(request));
    const pushed = pushWhere(table, conjuncts(statement.where), context);
    if (statement.kind === 'delete' && pushed.rest.length === 0) {
      return Number(this.store.prepare(`DELETE FROM ${rowsOf(table)}${pushed.sql}`).run().changes);
    }
    const tests = pushed.rest.map((condition) => compileExpression(condition, context));
    const needed = columnsOf([
      statement.where,
      ...(statement.kind === 'update' ? statement.assignments.map((assignment) => assignment.value) : []),
    ]);
    const matches = this.#rowsWithIds(table, needed, pushed.sql).filter(({ row }) =>
      tests.every((test) => test.evaluate(row) === true),
    );
    return this.store.transaction(() => {
      for (const { rowid, row } of matches) {
        if (statement.kind === 'delete')
          this.store.prepare(`DELETE FROM ${rowsOf(table)} WHERE rowid = ?`).run(rowid);
        else this.#updateRow(statement.assignments, table, rowid, row, context);
      }
      return matches.length;
    });
  }

  #rowsWithIds(
    table: Table,
    needed: ReadonlySet<string>,
    where: string,
  ): readonly { readonly rowid: bigint; readonly row: Row }[] {
    const cells = table.columns.map((column) => column.cell).join(', ');
    return this.store
      .prepare(`SELECT rowid, ${cells} FROM ${rowsOf(table)}${where}`)
      .all()
      .map((found) => ({
        rowid: BigInt(String(found['rowid'])),
        row: table.columns.map((column) =>
          needed.has(column.name) ? decodeCell(found[column.cell] ?? null, column.type) : null,
        ),
      }));
  }

  #updateRow(
    assignments: Extract<Statement, { kind: 'update' }>['assignments'],
    table: Table,
    rowid: bigint,
    row: Row,
    context: CompileContext,
  ): void {
    for (const { target, value } of assignments) {
      const compiled = compileExpression(value, context);
      const { name, path } = targetPath(target);
      const column = targetColumn(table, name);
      if (table.primaryKey.includes(name))
        throw new SqlFailure(
          400,
          4003,
          `ColumnValidationException[Validation failed for ${name}: Updating a primary key is not supported]`,
        );
      const found = this.store
        .prepare(`SELECT ${column.cell} AS cell FROM ${rowsOf(table)} WHERE rowid = ?`)
        .get(rowid);
      const cell: Cell =
        path.length === 0
          ? assignedCell(column, compiled.evaluate(row), compiled.type)
          : assignedCell(
              column,
              replaced(decodeCell(found?.['cell'] ?? null, column.type), path, compiled.evaluate(row)),
              column.type,
            );
      if (cell === null && column.notNull) throw invalid(`"${name}" must not be null`);
      this.store.prepare(`UPDATE ${rowsOf(table)} SET ${column.cell} = ? WHERE rowid = ?`).run(cell, rowid);
    }
  }

  #showCreate(table: Table): Answer {
    return textRows(`SHOW CREATE TABLE ${fullName(table)}`, [createTableText(table)]);
  }

  #show(what: 'tables' | 'schemas', session: Session): Answer {
    if (what === 'schemas') return textRows('schema_name', this.catalog.schemas());
    return textRows(
      'table_name',
      this.catalog
        .tables()
        .filter((table) => table.schema === session.schema)
        .map((table) => table.name)
        .sort(),
    );
  }
}

function count(rowcount: number): Answer {
  return { kind: 'count', rowcount };
}

function textRows(name: string, values: readonly string[]): Answer {
  return { kind: 'rows', result: { columns: [{ name, type: TEXT }], rows: values.map((value) => [value]) } };
}

function resultInBulk(): SqlFailure {
  return unsupported('Bulk operations for statements that return result sets is not supported');
}

/** Names of the server's plans, as they stand in its message. */
function planName(kind: Statement['kind']): string {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}Plan`;
}

function scopeOfTable(table: Table): Scope {
  return {
    columns: table.columns,
    resolve: (qualifier, name) => {
      const index = table.columns.findIndex((column) => column.name === name);
      const column = table.columns[index];
      return column === undefined || (qualifier !== null && qualifier !== table.name)
        ? null
        : { index, type: column.type };
    },
  };
}

function setSession(session: Session, name: string, values: readonly Expression[]): void {
  const value = values.length === 0 ? null : constantOf(values[0] ?? { kind: 'star' });
  if (name === 'search_path') session.schema = value === null ? 'doc' : valueText(value);
  if (value === null) session.settings.delete(name);
  else session.settings.set(name, value);
}

/** `o['a']['b']` as a column and the path below it. */
function targetPath(target: Expression): { readonly name: string; readonly path: readonly string[] } {
  if (target.kind === 'column') return { name: target.name, path: [] };
  if (target.kind !== 'subscript' || target.index.kind !== 'literal')
    throw invalid('Only columns can be assigned');
  const base = targetPath(target.base);
  return { name: base.name, path: [...base.path, valueText(target.index.value)] };
}

function replaced(value: Json, path: readonly string[], leaf: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return leaf;
  const object = isJsonObject(value) ? value : {};
  return { ...object, [first]: replaced(object[first] ?? null, rest, leaf) };
}

/** What a kept table's statement does not say. */
function restoreState(table: Table, text: string): void {
  const state = parseJson(text);
  if (!isJsonObject(state)) return;
  table.closed = state['closed'] === true;
  const partitions = state['partitions'] ?? null;
  if (!isJsonArray(partitions)) return;
  for (const key of partitions) {
    const values = parseJson(valueText(key));
    table.partitions.set(valueText(key), { values: isJsonArray(values) ? values : [], options: new Map() });
  }
}

/** For statistics: all rows, visible or not. */
export function rowCount(engine: Engine, table: Table): number {
  const [counted] = engine.store.prepare(`SELECT count(*) AS rows FROM ${rowsOf(table)}`).all();
  return Number(counted?.['rows']);
}

/** For statistics: one text per row, the same for the same values. */
export function rowTexts(engine: Engine, table: Table): readonly string[] {
  const cells = table.columns.map((column) => column.cell).join(', ');
  return engine.store
    .prepare(`SELECT ${cells} FROM ${rowsOf(table)}`)
    .all()
    .map((row) =>
      table.columns
        .map((column) => `${column.name}=${cellText(row[column.cell] ?? null, column.type)}`)
        .join('\u0001'),
    );
}

function cellText(cell: Cell, type: DataType): string {
  return typeof cell === 'string' || cell === null ? String(cell) : answerText(decodeCell(cell, type), type);
}
