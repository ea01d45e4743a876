/**
 * SQL to statements, by recursive descent. Words are keywords only where the grammar wants one, so columns may be
 * named `name` or `state` as in CrateDB.
 */
import type {
  AlterAction,
  Assignment,
  CheckDefinition,
  ColumnDefinition,
  ConflictAction,
  CreateTable,
  Expression,
  Insert,
  Options,
  PartitionRef,
  RelationRef,
  Select,
  SelectItem,
  Source,
  Statement,
} from './ast.ts';
import { ExpressionParser, RESERVED } from './expression-parser.ts';
import { failureAt, tokenise } from './tokens.ts';

/** How `expecting` reads when a statement begins with a word that begins none. */
const STARTERS = [
  'SELECT',
  'DEALLOCATE',
  'FETCH',
  'END',
  'WITH',
  'CREATE',
  'ALTER',
  'KILL',
  'CLOSE',
  'BEGIN',
  'START',
  'COMMIT',
  'ANALYZE',
  'DISCARD',
  'EXPLAIN',
  'SHOW',
  'OPTIMIZE',
  'REFRESH',
  'RESTORE',
  'DROP',
  'INSERT',
  'VALUES',
  'DELETE',
  'UPDATE',
  'SET',
  'RESET',
  'COPY',
  'GRANT',
  'DENY',
  'REVOKE',
  'DECLARE',
] as const;

/** CrateDB's default of `statement_max_length`. */
const MAX_STATEMENT_CHARACTERS = 262_144;

/** Parses exactly one statement; one `;` may follow it. Throws a failure with line and column. */
export function parseStatement(sql: string): Statement {
  if (sql.length > MAX_STATEMENT_CHARACTERS) {
    throw failureAt(
      sql,
      0,
      `Statement exceeds \`statement_max_length\` (${MAX_STATEMENT_CHARACTERS} allowed, ${sql.length} provided)`,
    );
  }
  return new StatementParser(sql).statement();
}

class StatementParser extends ExpressionParser {
  constructor(sql: string) {
    super(sql, tokenise(sql));
  }

  statement(): Statement {
    if (this.peek().kind === 'end') return { kind: 'empty' };
    const statement = this.#body();
    this.end(this.skip(';') ? '<EOF>' : "{<EOF>, ';'}");
    return statement;
  }

  #body(): Statement {
    const word = this.peek().kind === 'word' ? this.peek().value : '';
    switch (word) {
      case 'select':
        return { kind: 'select', select: this.select() };
      case 'values':
        this.next();
        return { kind: 'values', rows: this.list(() => this.row()) };
      case 'create':
        return this.#create();
      case 'drop':
        return this.#drop();
      case 'insert':
        return this.#insert();
      case 'update':
        return this.#update();
      case 'delete':
        return this.#delete();
      case 'alter':
        return this.#alter();
      case 'refresh':
      case 'optimize':
        return this.#maintenance(word);
      case 'set':
      case 'reset':
        return this.#setting(word);
      case 'show':
        return this.#show();
      case 'kill':
        this.next();
        return { kind: 'kill', job: this.skip('all') ? null : this.expression() };
      case 'analyze':
        this.next();
        return { kind: 'analyze' };
      case 'begin':
      case 'start':
      case 'commit':
      case 'end':
        while (this.peek().kind === 'word' || this.is(',')) this.next();
        return { kind: 'transaction' };
      default:
        throw this.#unknownStart();
    }
  }

  /** ANTLR calls a token extraneous when the statement could go on without it. */
  #unknownStart(): Error {
    const following = this.peek(1);
    const fits = following.kind === 'end' || STARTERS.some((word) => word.toLowerCase() === following.value);
    const kind = fits ? 'extraneous' : 'mismatched';
    const expected = `{<EOF>, ${STARTERS.map((word) => `'${word}'`).join(', ')}, ';'}`;
    return this.failure(`${kind} input '${this.peek().raw}' expecting ${expected}`);
  }

  #create(): Statement {
    this.next();
    if (this.skip('schema')) {
      const ifNotExists = this.#ifNotExists();
      return { kind: 'createSchema', name: this.identifier(), ifNotExists };
    }
    this.expect('table');
    const ifNotExists = this.#ifNotExists();
    return this.#createTable(this.relation(), ifNotExists);
  }

  #ifNotExists(): boolean {
    if (!this.skip('if')) return false;
    this.expect('not');
    this.expect('exists');
    return true;
  }

  #ifExists(): boolean {
    if (!this.skip('if')) return false;
    this.expect('exists');
    return true;
  }

  #createTable(relation: RelationRef, ifNotExists: boolean): CreateTable {
    const columns: ColumnDefinition[] = [];
    const checks: CheckDefinition[] = [];
    let primaryKey: readonly string[] = [];
    let primaryKeyName: string | null = null;
    this.expect('(');
    do {
      const name = this.#constraintName();
      if (this.skip('primary')) {
        this.expect('key');
        primaryKey = this.#pathList();
        primaryKeyName = name;
      } else if (name !== null || (this.is('check') && this.peek(1).value === '(')) {
        checks.push(this.#check(name));
      } else {
        columns.push(this.#column());
      }
    } while (this.skip(','));
    this.expect(')');
    const inline = columns.filter((column) => column.primaryKey).map((column) => column.name);
    const keys = primaryKey.length > 0 ? primaryKey : inline;
    return {
      kind: 'createTable',
      relation,
      ifNotExists,
      columns,
      primaryKey: keys,
      primaryKeyName,
      checks,
      ...this.#tableOptions(),
    };
  }

  #constraintName(): string | null {
    return this.skip('constraint') ? this.identifier() : null;
  }

  #check(name: string | null): CheckDefinition {
    this.expect('check');
    this.expect('(');
    const expression = this.expression();
    this.expect(')');
    return { name, expression };
  }

  #tableOptions(): Pick<CreateTable, 'clusteredBy' | 'shards' | 'partitionedBy' | 'options'> {
    let clusteredBy: string | null = null;
    let shards: Expression | null = null;
    let partitionedBy: readonly string[] = [];
    let options: Options = [];
    for (;;) {
      if (this.skip('clustered')) {
        if (this.skip('by')) clusteredBy = this.#pathList()[0] ?? null;
        if (this.skip('into')) {
          shards = this.expression();
          this.expect('shards');
        }
      } else if (this.skip('partitioned')) {
        this.expect('by');
        partitionedBy = this.#pathList();
      } else if (this.skip('with')) {
        options = this.options();
      } else {
        return { clusteredBy, shards, partitionedBy, options };
      }
    }
  }

  /** `(a, b['c'])` → `a`, `b['c']`. */
  #pathList(): readonly string[] {
    return this.parenthesised(() => this.path().reduce((base, part) => `${base}['${part}']`));
  }

  /** `a['b']['c']` → its parts. */
  path(): [string, ...string[]] {
    const parts: [string, ...string[]] = [this.identifier()];
    while (this.skip('[')) {
      parts.push(this.take('text').value);
      this.expect(']');
    }
    return parts;
  }

  #column(): ColumnDefinition {
    return this.#columnRest(this.identifier());
  }

  #columnRest(name: string): ColumnDefinition {
    let type = this.is('generated') || this.is('as') ? null : this.type();
    const column = { notNull: false, primaryKey: false, checks: [] as CheckDefinition[] };
    let [defaultValue, generated]: (Expression | null)[] = [null, null];
    let index: ColumnDefinition['index'] = null;
    let storage: Options | null = null;
    for (;;) {
      const constraint = this.#constraintName();
      if (this.skip('primary')) {
        this.expect('key');
        column.primaryKey = true;
      } else if (this.is('not')) {
        this.next();
        this.expect('null');
        column.notNull = true;
      } else if (this.skip('null')) {
        column.notNull = false;
      } else if (this.skip('default')) {
        defaultValue = this.operand();
      } else if (this.is('generated') || this.is('as')) {
        if (this.skip('generated')) this.expect('always');
        this.expect('as');
        generated = this.operand();
      } else if (this.is('check')) {
        column.checks.push(this.#check(constraint));
      } else if (this.skip('index')) {
        index = this.#columnIndex();
      } else if (this.skip('storage')) {
        this.expect('with');
        storage = this.options();
      } else {
        break;
      }
    }
    type ??= { kind: 'undefined' };
    return {
      name,
      type,
      ...column,
      defaultValue: defaultValue ?? null,
      generated: generated ?? null,
      index,
      storage,
    };
  }

  #columnIndex(): ColumnDefinition['index'] {
    if (this.skip('off')) return { method: 'off', options: [] };
    this.expect('using');
    const method = this.identifier();
    return { method, options: this.skip('with') ? this.options() : [] };
  }

  #drop(): Statement {
    this.next();
    if (this.skip('schema')) {
      const ifExists = this.#ifExists();
      return { kind: 'dropSchema', name: this.identifier(), ifExists };
    }
    this.expect('table');
    const ifExists = this.#ifExists();
    return { kind: 'dropTable', relation: this.relation(), ifExists };
  }

  #insert(): Insert {
    this.next();
    this.expect('into');
    const relation = this.relation();
    const columns =
      this.is('(') && this.peek(1).value !== 'select' ? this.parenthesised(() => this.identifier()) : [];
    const source = this.#insertSource();
    const conflict = this.skip('on') ? this.#conflict() : null;
    const returning = this.skip('returning') ? this.list(() => this.selectItem()) : [];
    return { kind: 'insert', relation, columns, source, conflict, returning };
  }

  #insertSource(): Insert['source'] {
    if (this.skip('values')) return { kind: 'values', rows: this.list(() => this.#insertRow()) };
    if (!this.skip('(')) return { kind: 'select', select: this.select() };
    const select = this.select();
    this.expect(')');
    return { kind: 'select', select };
  }

  #insertRow(): readonly (Expression | 'default')[] {
    return this.parenthesised(() => (this.skip('default') ? 'default' : this.expression()));
  }

  #conflict(): ConflictAction {
    this.expect('conflict');
    const columns = this.is('(') ? this.#pathList() : [];
    this.expect('do');
    if (this.skip('nothing')) return { kind: 'nothing', columns };
    this.expect('update');
    this.expect('set');
    return { kind: 'update', columns, assignments: this.#assignments() };
  }

  #assignments(): readonly Assignment[] {
    return this.list(() => {
      const target = this.operand();
      this.expect('=');
      return { target, value: this.expression() };
    });
  }

  #update(): Statement {
    this.next();
    const relation = this.relation();
    this.expect('set');
    const assignments = this.#assignments();
    return { kind: 'update', relation, assignments, where: this.skip('where') ? this.expression() : null };
  }

  #delete(): Statement {
    this.next();
    this.expect('from');
    const relation = this.relation();
    return { kind: 'delete', relation, where: this.skip('where') ? this.expression() : null };
  }

  #partitionRef(): PartitionRef {
    const relation = this.relation();
    return { relation, partition: this.skip('partition') ? this.options() : null };
  }

  #maintenance(word: 'refresh' | 'optimize'): Statement {
    this.next();
    this.expect('table');
    const targets = this.list(() => this.#partitionRef());
    if (this.skip('with')) this.options();
    return { kind: word, targets };
  }

  #alter(): Statement {
    this.next();
    this.expect('table');
    const target = this.#partitionRef();
    if (this.skip('set')) return this.#altered(target, [{ kind: 'set', options: this.options() }]);
    if (this.skip('reset'))
      return this.#altered(target, [{ kind: 'reset', names: this.parenthesised(() => this.optionName()) }]);
    if (this.skip('open')) return this.#altered(target, [{ kind: 'open' }]);
    if (this.skip('close')) return this.#altered(target, [{ kind: 'close' }]);
    if (this.skip('rename')) {
      this.expect('to');
      return this.#altered(target, [{ kind: 'rename', name: this.relation() }]);
    }
    return this.#altered(
      target,
      this.list(() => this.#columnAction()),
    );
  }

  #altered(target: PartitionRef, actions: readonly AlterAction[]): Statement {
    return { kind: 'alterTable', target, actions };
  }

  #columnAction(): AlterAction {
    if (this.skip('drop')) {
      this.skip('column');
      const ifExists = this.#ifExists();
      return { kind: 'dropColumn', name: this.identifier(), ifExists };
    }
    this.expect('add');
    this.skip('column');
    const path = this.path();
    return { kind: 'addColumn', path, column: this.#columnRest(path.at(-1) ?? '') };
  }

  #setting(word: 'set' | 'reset'): Statement {
    this.next();
    if (this.skip('global')) {
      if (word === 'reset') return { kind: 'resetGlobal', names: this.list(() => this.optionName()) };
      if (!this.skip('persistent')) this.skip('transient');
      return { kind: 'setGlobal', options: this.list(() => this.option()) };
    }
    if (!this.skip('session')) this.skip('local');
    const name = this.optionName();
    if (word === 'reset') return { kind: 'set', name, values: [] };
    if (!this.skip('to')) this.expect('=');
    return { kind: 'set', name, values: this.list(() => this.settingValue()) };
  }

  #show(): Statement {
    this.next();
    if (this.skip('create')) {
      this.expect('table');
      return { kind: 'showCreate', relation: this.relation() };
    }
    if (this.skip('tables')) return { kind: 'show', what: 'tables' };
    if (this.skip('schemas')) return { kind: 'show', what: 'schemas' };
    return { kind: 'showParameter', name: this.optionName() };
  }

  override select(): Select {
    this.expect('select');
    const distinct = this.skip('distinct');
    if (!distinct) this.skip('all');
    const items = this.list(() => this.selectItem());
    const from = this.skip('from') ? this.#source() : null;
    const where = this.skip('where') ? this.expression() : null;
    const groupBy = this.#keyword('group', 'by') ? this.list(() => this.expression()) : [];
    const having = this.skip('having') ? this.expression() : null;
    const orderBy = this.#keyword('order', 'by') ? this.list(() => this.#orderItem()) : [];
    let [limit, offset]: (Expression | null)[] = [null, null];
    for (;;) {
      if (this.skip('limit')) limit = this.skip('all') ? null : this.expression();
      else if (this.skip('offset')) offset = this.expression();
      else break;
    }
    return {
      distinct,
      items,
      from,
      where,
      groupBy,
      having,
      orderBy,
      limit: limit ?? null,
      offset: offset ?? null,
    };
  }

  #keyword(first: string, second: string): boolean {
    if (!this.is(first)) return false;
    this.next();
    this.expect(second);
    return true;
  }

  selectItem(): SelectItem {
    if (this.skip('*')) return { expression: { kind: 'star' }, alias: null };
    const expression = this.expression();
    const alias = this.skip('as') || this.#isAlias() ? this.identifier() : null;
    return { expression, alias };
  }

  #isAlias(): boolean {
    const token = this.peek();
    return token.kind === 'quoted' || (token.kind === 'word' && !RESERVED.has(token.value));
  }

  #orderItem(): Select['orderBy'][number] {
    const expression = this.expression();
    const descending = this.skip('desc');
    if (!descending) this.skip('asc');
    if (!this.skip('nulls')) return { expression, descending, nullsFirst: descending };
    const nullsFirst = this.skip('first');
    if (!nullsFirst) this.expect('last');
    return { expression, descending, nullsFirst };
  }

  #source(): Source {
    if (this.is('(')) return this.#derivedSource();
    if (this.peek(1).value === '(' && this.peek().kind === 'word') {
      const name = this.identifier();
      return {
        kind: 'function',
        name,
        args: this.parenthesised(() => this.expression()),
        ...this.#sourceAlias(),
      };
    }
    return { kind: 'relation', relation: this.relation(), alias: this.#sourceAlias().alias };
  }

  #derivedSource(): Source {
    this.expect('(');
    if (this.skip('values')) {
      const rows = this.list(() => this.row());
      this.expect(')');
      return { kind: 'values', rows, ...this.#sourceAlias() };
    }
    const select = this.select();
    this.expect(')');
    return { kind: 'select', select, ...this.#sourceAlias() };
  }

  #sourceAlias(): { readonly alias: string | null; readonly columns: readonly string[] } {
    const alias = this.skip('as') || this.#isAlias() ? this.identifier() : null;
    const columns = alias !== null && this.is('(') ? this.parenthesised(() => this.identifier()) : [];
    return { alias, columns };
  }
}
